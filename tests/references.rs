//! Numbers of a page with their places in `report.json`, as any reader of the page can find them.

/// A number that names its place: the place, and the text.
#[derive(Debug, Clone, PartialEq)]
pub struct Reference {
    pub path: String,
    pub text: String,
}

/// Every number that names its place. A place is what stands as `data-base` on the elements around it,
/// from the outermost, and its own `data-ref` behind.
pub fn references(html: &str) -> Vec<Reference> {
    const VOID: [&str; 7] = ["br", "wbr", "hr", "img", "input", "meta", "link"];
    let attribute = |tag: &str, name: &str| {
        let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
        Some(unescaped(rest.split_once('"')?.0))
    };
    let main = html.split_once("<main>").map_or(html, |(_, rest)| rest);
    let main = main.split_once("</main>").map_or(main, |(main, _)| main);
    let mut found = Vec::new();
    // Names of the elements that are open, each with its base.
    let mut open: Vec<(String, String)> = Vec::new();
    for part in main.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap();
        if let Some(name) = tag.strip_prefix('/') {
            let at = open.iter().rposition(|(known, _)| known == name);
            open.truncate(at.unwrap_or_else(|| panic!("`{name}` was never opened")));
            continue;
        }
        if let Some(path) = attribute(tag, "data-ref") {
            let bases: String = open.iter().map(|(_, base)| base.as_str()).collect();
            found.push(Reference { path: bases + &path, text: text.to_string() });
        }
        let name = tag.split([' ', '\n', '/']).next().unwrap();
        if !VOID.contains(&name) && !tag.ends_with('/') && !tag.starts_with('!') {
            let base = attribute(tag, "data-base").unwrap_or_default();
            open.push((name.to_string(), base));
        }
    }
    found
}

fn unescaped(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&#39;", "'")
        .replace("&amp;", "&")
}
