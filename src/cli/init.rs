//! `restudy init`: a study to begin with, the embedded one or a copy of another.

use std::fs::OpenOptions;
use std::io::{IsTerminal, Write};
use std::path::{Component, Path, PathBuf};

use super::{Exit, load};
use crate::catalog::Catalog;
use crate::diagnostics::{Span, any_error};
use crate::spec::{self, ImageOrigin, Origin, SourceKind, Study};

/// Write a study to begin with
#[derive(Debug, clap::Args)]
pub struct Init {
    /// Its name or path; `.yaml` is added where it is not there
    #[arg(default_value = "study")]
    pub name: PathBuf,
    /// Begin with a copy of this study; its relative paths stay true
    #[arg(long, value_name = "STUDY")]
    pub like: Option<PathBuf>,
}

/// A small study on simulated data that runs as it is.
const QUICKSTART: &str = include_str!("../../studies/quickstart.yaml");

/// A study without its author's half: what is true of the example is not true of a new study.
fn without_reporting(study: &str) -> String {
    let (mut kept, mut inside) = (String::new(), false);
    for line in study.split_inclusive('\n') {
        let begins_a_key = !line.starts_with([' ', '\t', '\r', '\n', '#', '-']);
        if begins_a_key {
            inside = line.starts_with("reporting:");
        }
        if inside && begins_a_key {
            // What is said above a key is said of it.
            while let Some(above) = kept.trim_end().rsplit('\n').next()
                && above.starts_with('#')
            {
                kept.truncate(kept.trim_end().len() - above.len());
            }
        }
        if !inside {
            kept.push_str(line);
        }
    }
    format!(
        "{}\n\n# reporting: what a run cannot know; `restudy report RUN --strict` names what is missing.\n",
        kept.trim_end()
    )
}

pub fn run(args: &Init) -> Exit {
    let target = match args.name.extension() {
        Some(ending) if ending == "yaml" || ending == "yml" => args.name.clone(),
        _ => {
            let mut name = args.name.clone().into_os_string();
            name.push(".yaml");
            PathBuf::from(name)
        }
    };
    let (text, absent) = match &args.like {
        None => (without_reporting(QUICKSTART), Vec::new()),
        Some(like) => match copied(like, &target) {
            Ok(copied) => copied,
            Err(said) => {
                eprintln!("{said}");
                return Exit::Change;
            }
        },
    };
    if let Err(error) = written(&target, &text) {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            eprintln!("error: {} is there already and stays as it is", target.display());
            eprintln!("help: give another name: `restudy init NAME`");
        } else {
            eprintln!("error: cannot write {}: {error}", target.display());
        }
        return Exit::Change;
    }
    println!("{}", target.display());
    if !absent.is_empty() {
        let store = folder(&target).join(".restudy");
        eprintln!(
            "note: not beside the study, so that they enter by `restudy store add --store {} FILE`: {}",
            store.display(),
            absent.join(", ")
        );
    }
    eprintln!("next: restudy check {}", as_argument(&target));
    Exit::Fine
}

/// A path as a shell takes it.
fn as_argument(path: &Path) -> String {
    let path = path.display().to_string();
    match path.chars().all(|c| c.is_alphanumeric() || "/._-+@:".contains(c)) {
        true => path,
        false => format!("'{}'", path.replace('\'', "'\\''")),
    }
}

/// Writes a file that is not there yet.
fn written(target: &Path, text: &str) -> std::io::Result<()> {
    std::fs::create_dir_all(folder(target))?;
    let mut file = OpenOptions::new().write(true).create_new(true).open(target)?;
    file.write_all(text.as_bytes())
}

fn folder(of: &Path) -> PathBuf {
    match of.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// The text of a study with its relative paths as they are seen from `target`, and the files that
/// do not lie where it says.
fn copied(like: &Path, target: &Path) -> Result<(String, Vec<String>), String> {
    let text = std::fs::read_to_string(like).map_err(|error| {
        let like = like.display();
        format!(
            "error: cannot read {like}: {error}\nhelp: `--like` takes the path of a study"
        )
    })?;
    let parsed = spec::read(&text, &Catalog::standard());
    let Some(study) = parsed.study.filter(|_| !any_error(&parsed.diagnostics)) else {
        let places = load::Places::new(like, None);
        let colour = std::io::stderr().is_terminal();
        return Err(load::draw(&parsed.diagnostics, &places, &text, colour));
    };
    let place = |folder: PathBuf| {
        std::path::absolute(&folder)
            .map(|folder| plain(&folder))
            .map_err(|error| format!("error: cannot find {}: {error}", folder.display()))
    };
    let (from, to) = (place(folder(like))?, place(folder(target))?);
    let (mut edits, mut absent) = (Vec::new(), Vec::new());
    for (path, span) in paths(&study) {
        let lies = plain(&from.join(path));
        if path.is_absolute() {
            continue;
        } else if !lies.exists() {
            absent.push(path.display().to_string());
        } else if from != to {
            edits.push((span, relative(&lies, &to)));
        }
    }
    // From the end, so that places before an edit stay what they are.
    edits.sort_by_key(|(span, _)| std::cmp::Reverse(span.start));
    let mut copy = text;
    for (span, path) in edits {
        let quoted = path.display().to_string().replace('\'', "''");
        copy.replace_range(span.start..span.end, &format!("'{quoted}'"));
    }
    Ok((copy, absent))
}

/// Every path that a study gives, with its place.
fn paths(study: &Study) -> Vec<(&Path, Span)> {
    let mut paths: Vec<(&Path, Span)> = Vec::new();
    for source in &study.sources {
        for origin in source.files() {
            if let Origin::File { path, span, .. } = origin {
                paths.push((path, *span));
            }
        }
        if let SourceKind::Images {
            from: ImageOrigin::Files { root, span, .. }, ..
        } = &source.kind
        {
            paths.push((root, *span));
        }
    }
    // An alias or a merged map may bring one place several times.
    paths.sort_by_key(|(_, span)| span.start);
    paths.dedup_by_key(|(_, span)| span.start);
    paths
}

/// Without `.` and `..`, as far as names tell.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => drop(plain.pop()),
            part => plain.push(part),
        }
    }
    plain
}

/// `path` as it is seen from `folder`; both are absolute.
fn relative(path: &Path, folder: &Path) -> PathBuf {
    let shared =
        path.components().zip(folder.components()).take_while(|(a, b)| a == b).count();
    let up = folder.components().skip(shared).map(|_| Component::ParentDir);
    up.chain(path.components().skip(shared)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_study_is_the_example_without_its_authors_half() {
        let study = "# A study.\na: 1\n\n# Of the author.\n# More.\nreporting:\n  # x\n  ppi: none\nb: 2\n";
        let kept = without_reporting(study);
        assert!(kept.starts_with("# A study.\na: 1\n\nb: 2\n\n# reporting:"), "{kept}");
        let begun = without_reporting(QUICKSTART);
        let parsed = spec::read(&begun, &Catalog::standard());
        assert!(parsed.diagnostics.is_empty());
        let study = parsed.study.expect("the example is sound");
        assert!(study.reporting.fields.is_empty() && !study.models.is_empty());
        assert!(!begun.contains("\nreporting:") && begun.contains("\nevaluate:"));
    }

    #[test]
    fn a_path_is_printed_as_a_shell_takes_it() {
        for (path, expected) in
            [("a/b-1.yaml", "a/b-1.yaml"), ("a b", "'a b'"), ("it's", "'it'\\''s'")]
        {
            assert_eq!(as_argument(Path::new(path)), expected);
        }
    }

    #[test]
    fn a_path_is_the_same_from_elsewhere() {
        let cases = [
            ("/a/b/t.csv", "/a/b", "t.csv"),
            ("/a/b/t.csv", "/a/c/d", "../../b/t.csv"),
            ("/t.csv", "/a", "../t.csv"),
        ];
        for (path, folder, expected) in cases {
            assert_eq!(relative(Path::new(path), Path::new(folder)), Path::new(expected));
        }
        assert_eq!(plain(Path::new("/a/./b/../c")), Path::new("/a/c"));
    }
}
