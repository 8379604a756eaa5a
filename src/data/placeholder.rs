//! Text that only holds a place: nothing was said yet, whatever its length.

/// Texts that say nothing by themselves, in lower case and without signs.
const EMPTY: &[&str] = &[
    "",
    "add",
    "as above",
    "bla",
    "blah",
    "citation needed",
    "coming soon",
    "ditto",
    "draft",
    "describe",
    "dummy",
    "empty",
    "example text",
    "fill in",
    "fill me in",
    "fixme",
    "foo",
    "foo bar",
    "foobar",
    "forthcoming",
    "idem",
    "in preparation",
    "insert",
    "lorem",
    "n a",
    "n d",
    "na",
    "nd",
    "nil",
    "no",
    "none",
    "not applicable",
    "not available",
    "not done",
    "not yet",
    "not yet available",
    "null",
    "ok",
    "pending",
    "placeholder",
    "qwerty",
    "same",
    "sample text",
    "see above",
    "see below",
    "some text",
    "string",
    "tba",
    "tbc",
    "tbd",
    "test",
    "test test",
    "text",
    "tk",
    "to complete",
    "to do",
    "todo",
    "unknown",
    "xyz",
    "yes",
    // "Still open", "to be completed", "to be defined".
    "noch offen",
    "à compléter",
    "a completar",
    "por definir",
    "da definire",
    // "To be settled", "to be added", "not settled yet".
    "待定",
    "待补充",
    "未定",
];

/// What a template asks its reader to do. No sentence of a paper begins so, where little or "here" and
/// "later" follow; some of them are other words as well, as in "state of the art".
const ASKED: &[&str] = &[
    "add", "complete", "describe", "enter", "explain", "fill", "give", "insert", "list",
    "name", "provide", "replace", "specify", "state", "update", "write",
];

/// "To be …" is a text that waits; inside of a longer one it may be a plan of the study.
const WAITING: &[&str] = &[
    "added",
    "announced",
    "completed",
    "confirmed",
    "decided",
    "defined",
    "described",
    "determined",
    "done",
    "filled",
    "inserted",
    "provided",
    "specified",
    "supplied",
    "updated",
    "written",
];

/// What may follow such a "to be …" without saying more.
const LATER: &[&str] = &[
    "acceptance",
    "after",
    "at",
    "authors",
    "author",
    "before",
    "by",
    "corresponding",
    "final",
    "here",
    "in",
    "later",
    "manuscript",
    "on",
    "publication",
    "revision",
    "soon",
    "submission",
    "the",
    "upon",
    "version",
];

/// What stands there instead of an answer, if something does: the whole text, or the part of it that
/// was left open. `names` are those of the fields about it, which answer nothing.
pub fn placeholder(text: &str, names: &[&str]) -> Option<String> {
    let plain = plain(text);
    let letters = plain.replace(' ', "");
    let named = |name: &&str| {
        let name = name.replace(['_', '.'], " ");
        let bare = ["the ", "an ", "a "].iter().find_map(|word| plain.strip_prefix(word));
        !name.is_empty() && (plain == name || bare == Some(name.as_str()))
    };
    let whole = EMPTY.contains(&plain.as_str())
        // `T.B.D.`
        || ["tba", "tbc", "tbd", "todo"].contains(&letters.as_str())
        || (letters.chars().count() == 1 && letters.chars().all(char::is_alphabetic))
        || waits(&plain)
        // "Pending approval, to be updated."
        || text.rsplit([',', ';', '(', '–', '—']).next().is_some_and(|end| waits(&self::plain(end)))
        || ["todo ", "tbd ", "tbc ", "tba "].iter().any(|note| plain.starts_with(note))
        || commands(&plain)
        || same_word(&plain)
        || one_letter(&plain)
        || names.iter().any(named);
    match whole {
        true => Some(text.trim().to_string()),
        false => left_open(text, &plain),
    }
}

/// In lower case, with one space for all that is no letter or digit.
fn plain(text: &str) -> String {
    let spaced: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_alphanumeric() { c } else { ' ' })
        .collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn waits(plain: &str) -> bool {
    let later = |rest: &str| rest.split_whitespace().all(|word| LATER.contains(&word));
    let follows =
        ["to follow", "will follow", "details to follow", "details will follow"];
    if follows.iter().any(|said| plain.strip_prefix(said).is_some_and(later)) {
        return true;
    }
    // "We will add this".
    let ours =
        ["we will ", "i will ", "will "].iter().find_map(|of| plain.strip_prefix(of));
    if let Some((verb, rest)) = ours.and_then(|of| of.split_once(' ')) {
        let rest = ["this ", "it ", "that "]
            .iter()
            .find_map(|of| rest.strip_prefix(of))
            .unwrap_or(rest);
        if ASKED.contains(&verb)
            && (["this", "it", "that"].contains(&rest) || later(rest))
        {
            return true;
        }
    }
    let Some(rest) = plain.strip_prefix("to be ").or(plain.strip_prefix("will be "))
    else {
        return false;
    };
    let (first, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    WAITING.contains(&first) && later(rest)
}

/// As in "insert the name of the committee", "describe the eligibility here", "write this later".
fn commands(plain: &str) -> bool {
    let words: Vec<&str> = plain.split(' ').collect();
    let Some((first, rest)) = words.split_first() else { return false };
    let Some(last) = rest.last() else { return false };
    let later = ["here", "later", "below", "this", "it"];
    let short =
        words.len() <= 3 && ["this", "the", "it", "in", "text"].contains(&rest[0]);
    // "Complete lists are given below", "name and version of the software stand here".
    const ALSO: [&str; 6] = ["complete", "give", "list", "name", "state", "update"];
    const VERBS: [&str; 8] =
        ["is", "are", "was", "were", "has", "have", "stand", "stands"];
    let sentence = ALSO.contains(first) && rest.iter().any(|word| VERBS.contains(word));
    // "Insert size was 350 base pairs": of a library that was sequenced.
    let insert = *first == "insert" && !["size", "sizes", "length"].contains(&rest[0]);
    insert
        || plain.starts_with("fill in ")
        || ASKED.contains(first) && (later.contains(last) || short) && !sentence
}

/// "Bla bla bla".
fn same_word(plain: &str) -> bool {
    let mut words = plain.split(' ');
    let first = words.next().unwrap_or("");
    let again = plain.contains(' ') && words.all(|word| word == first);
    again && first.chars().all(char::is_alphabetic)
}

/// `xx`, `aaaa`, `x x x`.
fn one_letter(plain: &str) -> bool {
    let mut letters = plain.chars().filter(|c| *c != ' ');
    let Some(first) = letters.next() else { return false };
    let more = letters.clone().count();
    first.is_alphabetic()
        && letters.all(|letter| letter == first)
        && more >= if first == 'x' { 1 } else { 3 }
}

/// The part of a longer text that was left open.
fn left_open(text: &str, plain: &str) -> Option<String> {
    const PHRASES: [&str; 13] = [
        "text goes here",
        "enter text",
        "enter here",
        "name here",
        "number here",
        "lorem ipsum",
        "insert text",
        "insert here",
        "text here",
        "dummy text",
        "placeholder text",
        "your text",
        "fill in here",
    ];
    let padded = format!(" {plain} ");
    if let Some(phrase) =
        PHRASES.iter().find(|said| padded.contains(&format!(" {said} ")))
    {
        return Some(phrase.to_string());
    }
    if let Some(inside) = bracketed(text) {
        return Some(inside);
    }
    // Three points alone between two words leave something out.
    let parts: Vec<&str> = text.split_whitespace().collect();
    let dots = parts.windows(3).find(|at| ["...", "…"].contains(&at[1]));
    if let Some(dots) = dots {
        return Some(dots.join(" "));
    }
    for marks in ["??", "___", "@@", "<!--"] {
        if text.contains(marks) {
            return Some(marks.to_string());
        }
    }
    let words: Vec<&str> = text
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let open = words.iter().enumerate().find(|(at, word)| {
        is_note(word)
            || word.to_lowercase().starts_with("asdf")
            || (is_crossed(word) && !is_karyotype(&words, *at) && !is_roman(&words, *at))
    });
    let variable = || {
        parts.iter().find(|part| {
            let name =
                part.strip_prefix('$').unwrap_or("").trim_matches(['{', '}', '.', ',']);
            name.len() > 2 && name.chars().all(|c| c.is_ascii_uppercase() || c == '_')
        })
    };
    open.map(|(_, word)| word.to_string())
        .or_else(|| variable().map(|part| part.to_string()))
}

/// As in "factor XX", "exon XX": twenty.
fn is_roman(words: &[&str], at: usize) -> bool {
    const COUNTED: [&str; 12] = [
        "factor", "exon", "stage", "grade", "type", "class", "chapter", "collagen",
        "century", "nerve", "part", "volume",
    ];
    let before = at.checked_sub(1).map_or(String::new(), |at| words[at].to_lowercase());
    words[at] == "XX" && COUNTED.contains(&before.as_str())
}

/// What authors leave in capitals for later.
fn is_note(word: &str) -> bool {
    let plain = word.to_lowercase();
    ["tbd", "todo", "fixme"].contains(&plain.as_str()) && plain.to_uppercase() == word
}

/// `XX`, `xxxx`.
fn is_crossed(word: &str) -> bool {
    word.len() >= 2 && word.chars().all(|c| c == 'x' || c == 'X')
}

/// As in `46,XX`, `XX and XY`, `XX chromosomes`.
fn is_karyotype(words: &[&str], at: usize) -> bool {
    let before = at.checked_sub(1).map_or("", |at| words[at]);
    let after = words.get(at + 1).map_or(String::new(), |word| word.to_lowercase());
    let about = ["chromosom", "karyotyp", "genotyp", "female", "individual", "sex"];
    ["46", "47", "45", "chromosome", "chromosomes", "karyotype"].contains(&before)
        || about.iter().any(|stem| after.starts_with(stem))
        || words.contains(&"XY")
}

/// What brackets hold in the place of an answer, such as `[role to be added]` or `<insert>`.
fn bracketed(text: &str) -> Option<String> {
    for (open, close) in [('[', ']'), ('<', '>'), ('(', ')'), ('{', '}')] {
        for (at, _) in text.match_indices(open) {
            let rest = &text[at + 1..];
            let Some(end) = rest.find(close) else { continue };
            let inside = &rest[..end];
            if asks(inside, open) {
                return Some(format!("{open}{inside}{close}"));
            }
        }
    }
    None
}

/// As in "[describe the setting]", "[insert]"; not "(complete response)", "(list of scanners)".
fn told(plain: &str) -> bool {
    const OF_IT: [&str; 9] =
        ["the", "a", "an", "your", "all", "any", "here", "which", "how"];
    let mut words = plain.split(' ');
    let first = words.next().unwrap_or("");
    // What these may be called by their noun: "(insert size 350 bp)", "(fill factor 0.8)".
    let of_things = plain.contains(|c: char| c.is_ascii_digit());
    let alone = ["insert", "describe", "specify", "enter", "fill"].contains(&first);
    alone && !of_things
        || ASKED.contains(&first)
            && words.next().is_some_and(|next| OF_IT.contains(&next))
}

/// Whether what stands in brackets asks for an answer and gives none.
fn asks(inside: &str, bracket: char) -> bool {
    const FIRST: [&str; 9] = [
        "tbd",
        "tba",
        "tbc",
        "todo",
        "your",
        "placeholder",
        "redacted",
        "blinded for",
        "anonymised for",
    ];
    const ALONE: [&str; 22] = [
        "start",
        "end",
        "citation",
        "citation needed",
        "cite",
        "ref",
        "reference",
        "references",
        "name",
        "names",
        "date",
        "role",
        "number",
        "institution",
        "hospital",
        "city",
        "country",
        "funder",
        "url",
        "doi",
        "link",
        "text",
    ];
    // Tags of HTML are no questions.
    const TAGS: [&str; 8] = ["i", "b", "em", "strong", "sub", "sup", "br", "p"];
    let plain = plain(inside);
    let waiting = plain.find("to be ").is_some_and(|at| waits(&plain[at..]));
    let begins = |of: &&str| plain == **of || plain.starts_with(&format!("{of} "));
    // "(name?)" and "(?)" ask as well.
    let question = inside.trim().ends_with('?') && plain.split(' ').count() <= 2;
    let asked = waiting || question || FIRST.iter().any(begins) || told(&plain);
    match bracket {
        // Nothing but words between angle brackets is a form to fill in: `<` of numbers has digits.
        '<' => {
            let words = inside.chars().all(|c| c.is_alphabetic() || " _-.".contains(c));
            let filled = !plain.is_empty() && inside.trim() == inside;
            asked || (words && filled && !TAGS.contains(&plain.as_str()))
        }
        '[' => {
            // "[hospital name]".
            let form = !inside.contains(|c: char| c.is_ascii_digit())
                && plain.split(' ').count() <= 3
                && plain.split(' ').any(|word| ["name", "names", "date"].contains(&word));
            asked || form || plain.is_empty() || ALONE.contains(&plain.as_str())
        }
        _ => asked || ["ref", "cite", "citation needed"].contains(&plain.as_str()),
    }
}

#[cfg(test)]
mod tests {
    use super::placeholder;

    #[test]
    fn what_only_holds_a_place_is_found() {
        for (text, found) in [
            ("TBD", "TBD"),
            ("n/a", "n/a"),
            ("...", "..."),
            ("???", "???"),
            ("lorem ipsum dolor", "lorem ipsum"),
            ("Lorem", "Lorem"),
            ("xxx", "xxx"),
            ("xxxxx", "xxxxx"),
            ("aaaa", "aaaa"),
            ("asdf", "asdf"),
            ("dummy", "dummy"),
            ("none", "none"),
            ("role", "role"),
            ("Intended use", "Intended use"),
            ("To be confirmed", "To be confirmed"),
            (
                "To be added by the authors before submission.",
                "To be added by the authors before submission.",
            ),
            ("待定", "待定"),
            ("insert text here", "insert text here"),
            ("<insert>", "<insert>"),
            ("Funded by XX", "XX"),
            ("Funded by the <name of funder>.", "<name of funder>"),
            ("The funder had [role to be added]", "[role to be added]"),
            ("Approved by the committee of [institution].", "[institution]"),
            (
                "Approved by the committee (number to be inserted).",
                "(number to be inserted)",
            ),
            ("Grant no. TBD of the ministry", "TBD"),
            ("Grant ??? of the ministry", "??"),
            ("Grant ____ of the ministry", "___"),
            ("From XX/XX/2019 on", "XX"),
            ("T.B.D.", "T.B.D."),
            ("x", "x"),
            ("As above.", "As above."),
            ("Yes", "Yes"),
            ("Will be added later.", "Will be added later."),
            ("will be provided upon acceptance", "will be provided upon acceptance"),
            ("Details to follow.", "Details to follow."),
            (
                "To be announced in the final version",
                "To be announced in the final version",
            ),
            ("The committee of […] approved it.", "[…]"),
            ("The committee of [...] approved it.", "[...]"),
            ("Committee of ... approved it", "of ... approved"),
            ("It was shown before [citation needed].", "[citation needed]"),
            ("Committee name here", "name here"),
            ("Click here to enter text.", "enter text"),
            ("The role", "The role"),
            ("à compléter", "à compléter"),
            ("bla bla bla", "bla bla bla"),
            ("Write this later", "Write this later"),
            ("Fill this in", "Fill this in"),
            ("Describe the criteria here.", "Describe the criteria here."),
            ("Insert the name of the committee", "Insert the name of the committee"),
            ("To be filled in by the authors", "To be filled in by the authors"),
            ("We will add this", "We will add this"),
            ("TBC with the statistician", "TBC with the statistician"),
            ("Pending approval, to be updated.", "Pending approval, to be updated."),
            ("Some text goes here", "text goes here"),
            ("The [Describe the setting here]", "[Describe the setting here]"),
            ("Treated at [hospital name] in May", "[hospital name]"),
            ("Seen from [start] to [end]", "[start]"),
            ("Approved by [REDACTED] in May", "[REDACTED]"),
            ("Committee [blinded for review] approved", "[blinded for review]"),
            ("The committee (name?) approved it", "(name?)"),
            ("The number was (?) in all", "(?)"),
            ("Supported by $FUNDER alone", "$FUNDER"),
            ("Seen <!-- when --> twice", "<!--"),
        ] {
            let names = ["source", "role", "intended_use"];
            assert_eq!(placeholder(text, &names).as_deref(), Some(found), "{text}");
        }
    }

    #[test]
    fn what_says_something_is_none() {
        for text in [
            "Groups with <5 events are not shown, and >10 are.",
            "[18F]FDG and [11C]methionine PET.",
            "Female (XX chromosomes), male (XY).",
            "Karyotype 46,XX was found.",
            "The result needs to be confirmed elsewhere.",
            "To be confirmed in an external cohort of another country.",
            "Dummy variables stand for the categories.",
            "The role of the funder was none.",
            "No patient or member of the public had a part in this example.",
            "It reached {{results.auroc.here}} (<i>IDH1</i>).",
            "Data of 3 centres [1, 2] (see the appendix).",
            "Not public; the features were published with the article.",
            "Xie and others 2019; Foxx.",
            "p < 0.05 and n > 20",
            "Testing was done by one reader.",
            "None; the model is part of an example.",
            "Yes, by two readers.",
            "The code will be provided upon acceptance.",
            "Readers saw the images only ...",
            "Grade IV",
            "Patients were to follow a protocol.",
            "XXX chromosomes (triple X) were an exclusion criterion.",
            "To do so, we asked two readers.",
            "Factor XX was not assayed, nor EGFR exon XX.",
            "Describe, the software, was used by two readers.",
            "Lists of patients were kept [n = 3 lists].",
            "Treated (complete response) and imaged (list of scanners below).",
            "Weighed daily (give or take a day), once (state of the art).",
            "Complete data were there for all patients.",
            "Complete lists of sequences are given below.",
            "Name and version of the software stand here.",
            "Insert size was 350 base pairs on average.",
            "Probes of one plate (fill factor 0.8).",
            "It was so (was it not?), and the committee approved it.",
            "Costs were US$ 300, or $US 20 a scan.",
        ] {
            assert_eq!(placeholder(text, &["source", "role"]), None, "{text}");
        }
    }
}
