//! Places of numbers in `report.json`, written short: what those within an element share stands once, on
//! the element. Nothing is lost: the `data-base` of all elements that a number stands in, the outermost
//! first, and its `data-ref` behind them are its place.

/// An element of a page that stands open, or stood.
struct Element<'h> {
    name: &'h str,
    /// Where the first tag ends, before its `>`.
    opened: usize,
    /// The element around it.
    within: usize,
    /// Where its own place stands in the text.
    place: Option<(usize, &'h str)>,
    /// What the places in it have in common, up to the last `/` of that.
    shared: Option<&'h str>,
    /// How many of the elements right within it have places.
    parts: usize,
    /// How much of the places in it stands on elements around them.
    told: usize,
}

const BASE: &str = " data-base=\"\"";

/// The HTML with each place relative to those of the elements around it.
pub fn shortened(html: &str) -> String {
    let mut elements = elements(html);
    for at in (1..elements.len()).rev() {
        let element = &mut elements[at];
        if let Some((_, place)) = element.place {
            element.shared = Some(up_to_slash(place));
        }
        let (shared, within) = (element.shared, element.within);
        let Some(shared) = shared else { continue };
        let around = &mut elements[within];
        around.parts += 1;
        around.shared = Some(match around.shared {
            Some(known) => common(known, shared),
            None => shared,
        });
    }
    // Text to put in, and how much of what stands there it replaces.
    let mut edits: Vec<(usize, usize, String)> = Vec::with_capacity(elements.len());
    for at in 1..elements.len() {
        let told = elements[elements[at].within].told;
        let element = &mut elements[at];
        element.told = told;
        if let Some((start, _)) = element.place {
            edits.push((start, told, String::new()));
        } else if let Some(shared) = element.shared
            // Each part but one gains what the base then costs once.
            && element.parts.saturating_sub(1) * (shared.len() - told) > BASE.len()
        {
            let base = &shared[told..];
            edits.push((element.opened, 0, format!(" data-base=\"{base}\"")));
            element.told = shared.len();
        }
    }
    edits.sort_by_key(|(at, ..)| *at);
    let mut short = String::with_capacity(html.len());
    let mut end = 0;
    for (at, less, text) in edits {
        short.push_str(&html[end..at]);
        short.push_str(&text);
        end = at + less;
    }
    short.push_str(&html[end..]);
    short
}

/// The elements in the order of their first tags. The first one is around all, and no element itself.
fn elements(html: &str) -> Vec<Element<'_>> {
    // They have no second tag.
    const VOID: [&str; 7] = ["br", "wbr", "hr", "img", "input", "meta", "link"];
    const PLACE: &str = "data-ref=\"";
    let element = |name, opened, within, place| Element {
        name,
        opened,
        within,
        place,
        shared: None,
        parts: 0,
        told: 0,
    };
    // As many as there are tags: a list that doubles as it grows is copied.
    let mut elements = Vec::with_capacity(1 + html.matches('<').count());
    elements.push(element("", 0, 0, None));
    let mut around = 0;
    let mut rest = 0;
    while let Some(start) = html[rest..].find('<').map(|at| rest + at) {
        // Within attributes there is no `>`: it is escaped there.
        let Some(end) = html[start..].find('>').map(|at| start + at) else { break };
        rest = end + 1;
        let tag = &html[start + 1..end];
        let name_of = |tag: &'_ str| tag.find([' ', '\n', '/']).unwrap_or(tag.len());
        if let Some(closed) = tag.strip_prefix('/') {
            let mut open = around;
            while open != 0 && elements[open].name != closed.trim_end() {
                open = elements[open].within;
            }
            if open != 0 {
                around = elements[open].within;
            }
            continue;
        }
        if tag.starts_with('!') {
            continue;
        }
        let name = &tag[..name_of(tag)];
        let place = tag.find(PLACE).and_then(|at| {
            let from = start + 1 + at + PLACE.len();
            let length = html[from..end].find('"')?;
            Some((from, &html[from..from + length]))
        });
        elements.push(element(name, end, around, place));
        if !VOID.contains(&name) && !tag.ends_with('/') {
            around = elements.len() - 1;
        }
    }
    elements
}

fn up_to_slash(place: &str) -> &str {
    place.rfind('/').map_or("", |at| &place[..=at])
}

/// The beginning of both, up to a `/`.
fn common<'a>(one: &'a str, other: &str) -> &'a str {
    let same = one.bytes().zip(other.bytes()).take_while(|(a, b)| a == b).count();
    let slash = one.as_bytes()[..same].iter().rposition(|byte| *byte == b'/');
    slash.map_or("", |at| &one[..=at])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_places_share_stands_once() {
        let number = |place: &str| format!("<span data-ref=\"{place}\">1</span>");
        let row = |at: usize| {
            let of = |what: &str| number(&format!("/analyses/a/subgroups/{at}/{what}"));
            format!(
                "<tr><td>{}</td><td>{}<br>{}</td></tr>",
                of("n"),
                of("lower"),
                of("p")
            )
        };
        let table = format!("<table>{}{}</table>", row(0), row(1));
        let short = shortened(&table);
        let begins = "<table data-base=\"/analyses/a/subgroups/\"><tr><td>\
                      <span data-ref=\"0/n\">1</span></td>";
        assert!(short.starts_with(begins), "{short}");
        assert!(short.len() < table.len());
        // A base that costs more than it saves is none.
        let one = format!("<p>{} of {}</p>", number("/a/b"), number("/a/c"));
        assert_eq!(shortened(&one), one);
        // Nor have numbers of different places one.
        let two = format!("<p>{} of {}</p>", number("/first/a"), number("/second/b"));
        assert_eq!(shortened(&two), two);
        assert_eq!(
            shortened("no <b>place</b> here<!-- x -->"),
            "no <b>place</b> here<!-- x -->"
        );
    }

    #[test]
    fn a_base_ends_with_a_whole_part() {
        assert_eq!(common("/columns/12/n/", "/columns/1/n/"), "/columns/");
        assert_eq!(common("/a/b/", "/a/b/"), "/a/b/");
        assert_eq!(common("/é/", "/è/"), "/");
        assert_eq!(up_to_slash("/a/b"), "/a/");
    }
}
