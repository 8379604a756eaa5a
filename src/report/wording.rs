//! Phrases in the author's texts, sought sentence by sentence. What is denied, still to be done or only
//! asked is not said.

use std::ops::Range;

/// Words that a gap, written as `~` in a phrase, may span.
const GAP: usize = 6;

/// How many words before a phrase may say of what it is said.
const NEAR: usize = 3;

/// Words in lower case without signs; numbers keep their points.
pub fn words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '%'))
        .map(|word| word.trim_end_matches(['.', '%']).to_string())
        .filter(|word| !word.is_empty())
        .collect()
}

/// A text cut at what ends a sentence. Points within numbers and behind common abbreviations end none.
pub fn sentences(text: &str) -> Vec<&str> {
    let mut sentences = Vec::new();
    let mut start = 0;
    let mut open = 0_usize;
    for (at, character) in text.char_indices() {
        let end = at + character.len_utf8();
        match character {
            '(' | '[' => open += 1,
            ')' | ']' => open = open.saturating_sub(1),
            _ => {}
        }
        let ends = match character {
            '!' | '?' => true,
            // Between the ends of an interval, as in "0.75 (0.60; 0.85)".
            ';' => open == 0,
            '.' => is_full_stop(&text[start..at], &text[end..]),
            '\n' => text[end..].trim_start_matches([' ', '\t']).starts_with('\n'),
            _ => false,
        };
        if ends {
            sentences.push(&text[start..end]);
            (start, open) = (end, 0);
        }
    }
    sentences.push(&text[start..]);
    sentences.retain(|sentence| sentence.chars().any(char::is_alphanumeric));
    sentences
}

fn is_full_stop(before: &str, after: &str) -> bool {
    const ABBREVIATIONS: [&str; 13] = [
        "vs", "e.g", "i.e", "cf", "al", "approx", "ca", "fig", "resp", "incl", "dr",
        "prof", "st",
    ];
    let Some(next) = after.chars().next() else { return true };
    // As in "leakage.External".
    let glued = next.is_uppercase() && before.ends_with(char::is_lowercase);
    if !next.is_whitespace() && !glued {
        return ['"', '”', '’', ')', ']'].contains(&next);
    }
    let start =
        before.rfind(|c: char| c.is_whitespace() || c == '(').map_or(0, |at| at + 1);
    let last = before.get(start..).unwrap_or(before).to_lowercase();
    let number =
        last == "no" && after.trim_start().starts_with(|c: char| c.is_ascii_digit());
    !number && !ABBREVIATIONS.contains(&last.as_str())
}

/// What to look for: phrases of words apart from spaces, `stem*`, `this|that` for either, `~` for a gap of
/// some words; and what is claimed by a verb or by praise of a noun, whatever stands between. Denials and
/// hedges are the same for all of them.
#[derive(Clone, Copy)]
pub struct Phrases<'p> {
    pub any_of: &'p [&'p str],
    /// Verbs as in "generalise": said by "generalises", and where it is affirmed: "is likely to generalise".
    pub verbs: &'p [&'p str],
    /// Nouns that are said where they are praised: "good calibration", "calibration of it was good".
    pub nouns: &'p [&'p str],
    /// Words before one of these it means something else, as in "superior temporal gyrus".
    pub but_before: &'p [&'p str],
    /// And shortly behind one of these, as in "previously validated", "the assay was validated".
    pub but_behind: &'p [&'p str],
}

impl<'p> Phrases<'p> {
    pub const fn new(any_of: &'p [&'p str]) -> Self {
        Self { any_of, verbs: &[], nouns: &[], but_before: &[], but_behind: &[] }
    }

    /// What a text says of them, in its own words; none where it denies it.
    pub fn said(&self, text: &str) -> Option<String> {
        sentences(text).into_iter().find_map(|sentence| {
            let words = words(sentence);
            let found = self.within(&words)?;
            Some(words[found].join(" "))
        })
    }

    /// Where the words of one sentence say one of them.
    pub fn within(&self, words: &[String]) -> Option<Range<usize>> {
        let places = || 0..words.len();
        let phrase = self.any_of.iter().find_map(|phrase| {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            places().find_map(|at| {
                let found = at..at + length(&words[at..], &phrase)?;
                self.holds(words, &found).then_some(found)
            })
        });
        let held = |found: &Range<usize>| self.holds(words, found);
        phrase
            .or_else(|| places().find_map(|at| self.verb(words, at).filter(held)))
            .or_else(|| places().find_map(|at| self.praised(words, at).filter(held)))
    }

    /// Whether it is meant as it stands there, and not denied.
    fn holds(&self, words: &[String], found: &Range<usize>) -> bool {
        let mut near = words[found.start.saturating_sub(NEAR)..found.start].iter();
        let elsewhere = near.any(|word| is_one(word, self.but_behind))
            || words.get(found.end).is_some_and(|word| is_one(word, self.but_before));
        !elsewhere && !denied(words, found)
    }

    /// One of the verbs, with what affirms it.
    fn verb(&self, words: &[String], at: usize) -> Option<Range<usize>> {
        // Behind these `to` follows.
        const LEADS: [&str; 17] = [
            "likely",
            "able",
            "expected",
            "shown",
            "found",
            "proved",
            "proven",
            "seen",
            "known",
            "demonstrated",
            "confirmed",
            "believed",
            "appear*",
            "seem*",
            "tend*",
            "promise*",
            "suited",
        ];
        const AFFIRM: [&str; 4] = ["can", "do", "does", "did"];
        const SUBJECTS: [&str; 9] = [
            "models",
            "signatures",
            "classifiers",
            "algorithms",
            "features",
            "predictions",
            "results",
            "findings",
            "they",
        ];
        let word = &words[at];
        if self.verbs.iter().any(|verb| word.strip_suffix('s') == Some(*verb)) {
            return Some(at..at + 1);
        }
        if !self.verbs.contains(&word.as_str()) {
            return None;
        }
        // An adverb may stand between, as in "can readily generalise".
        let adverb = at > 0 && (words[at - 1].ends_with("ly") || words[at - 1] == "well");
        let before = &words[..at - usize::from(adverb)];
        let lead = match before {
            [earlier @ .., lead, to] if to == "to" && is_one(lead, &LEADS) => {
                let less = earlier.last().is_some_and(|of| is_one(of, &["less|least"]));
                (!less).then_some(before.len() - 2)
            }
            [.., last] if is_one(last, &AFFIRM) || is_one(last, &SUBJECTS) => {
                Some(before.len() - 1)
            }
            _ => None,
        };
        lead.map(|lead| lead..at + 1)
    }

    /// One of the nouns, with what praises it.
    fn praised(&self, words: &[String], at: usize) -> Option<Range<usize>> {
        const PRAISE: [&str; 9] = [
            "good",
            "excellent",
            "adequate",
            "satisfactory",
            "acceptable",
            "perfect",
            "outstanding",
            "favourable|favorable",
            "convincing",
        ];
        const ARE: [&str; 9] = [
            "is", "are", "was", "were", "remains", "remained", "proved", "appeared",
            "seemed",
        ];
        /// Words between a noun and what is said of it, as in "calibration of the model was".
        const BETWEEN: usize = 4;
        let praise = |at: usize| words.get(at).is_some_and(|word| is_one(word, &PRAISE));
        if !is_one(&words[at], self.nouns) {
            return None;
        }
        if at > 0 && praise(at - 1) {
            return Some(at - 1..at + 1);
        }
        // "Good discrimination and calibration".
        if at > 2 && words[at - 1] == "and" && praise(at - 3) {
            return Some(at - 3..at + 1);
        }
        let behind = words.get(at + 1..)?.iter().take(BETWEEN + 1);
        let are = at + 1 + behind.clone().position(|word| is_one(word, &ARE))?;
        let between = &words[at + 1..are];
        let other = |word: &String| {
            is_one(word, self.but_before) || TURNS.contains(&word.as_str())
        };
        let adverb = words.get(are + 1).is_some_and(|word| {
            ["very", "also"].contains(&word.as_str()) || word.ends_with("ly")
        });
        let said = are + 1 + usize::from(adverb);
        let hardly = adverb && is_one(&words[are + 1], &["hardly|barely|scarcely|only"]);
        (praise(said) && !hardly && !between.iter().any(other)).then_some(at..said + 1)
    }
}

fn is_one(word: &str, of: &[&str]) -> bool {
    of.iter().any(|wanted| is(word, wanted))
}

/// Whether a text says one of these phrases.
pub fn says(text: &str, phrases: &[&str]) -> bool {
    Phrases::new(phrases).said(text).is_some()
}

/// Whether a word is the wanted one, or begins with its stem; `a|b` is either.
pub fn is(word: &str, wanted: &str) -> bool {
    wanted.split('|').any(|wanted| match wanted.strip_suffix('*') {
        Some(stem) => word.starts_with(stem),
        None => word == wanted,
    })
}

/// How many of the first words a phrase takes, if they are it.
fn length(words: &[String], phrase: &[&str]) -> Option<usize> {
    match phrase.split_first() {
        None => Some(0),
        Some((&"~", rest)) => (0..=GAP.min(words.len()))
            .find_map(|skipped| Some(skipped + length(&words[skipped..], rest)?)),
        Some((wanted, rest)) => {
            let (first, others) = words.split_first()?;
            is(first, wanted).then(|| length(others, rest)).flatten().map(|n| n + 1)
        }
    }
}

/// Words that begin another thought: what is denied before them is denied there.
const TURNS: [&str; 9] = [
    "but", "while", "whereas", "although", "though", "however", "because", "since",
    "which",
];

/// The words from the last turn before a phrase to the next one behind it.
pub fn thought<'w>(words: &'w [String], found: &Range<usize>) -> &'w [String] {
    let turns = |word: &String| TURNS.contains(&word.as_str());
    let start = words[..found.start].iter().rposition(turns).map_or(0, |at| at + 1);
    let end = words[found.end..].iter().position(turns);
    &words[start..end.map_or(words.len(), |at| found.end + at)]
}

/// Whether what stands there is denied, is still to be done, or is what was asked.
fn denied(words: &[String], found: &Range<usize>) -> bool {
    const DENIALS: [&str; 46] = [
        "no",
        "not",
        "without",
        "never",
        "neither",
        "nor",
        "none",
        "lack",
        "lacks",
        "lacking",
        "absence",
        "absent",
        "need",
        "needs",
        "future",
        "cannot",
        "unable",
        "fail",
        "fails",
        "failed",
        "failing",
        "unlikely",
        "unclear",
        "unknown",
        "uncertain",
        "unproven",
        "impossible",
        "require",
        "requires",
        "await",
        "awaits",
        "awaiting",
        "pending",
        "planned",
        "plan",
        "plans",
        "should",
        "must",
        "may",
        "might",
        "will",
        "would",
        "until",
        "unless",
        "nothing",
        "hardly",
    ];
    // Within a phrase, as in "predicted risks agreed poorly with observed ones".
    const FAINT: [&str; 5] = ["poor*", "bad*", "little", "barely|scarcely", "weak*"];
    const ASKED: [&str; 3] = ["whether", "hypothes*", "if"];
    let denies = |words: &[String]| {
        words.iter().enumerate().any(|(at, word)| {
            let next = words.get(at + 1).map_or("", String::as_str);
            // "Not only", "no doubt" and "even if" deny nothing.
            let only = word == "not" && next == "only";
            let doubt = next.starts_with("doubt");
            DENIALS.contains(&word.as_str()) && !only && !doubt
        })
    };
    let before = &words[..found.start];
    let turns = |word: &String| TURNS.contains(&word.as_str());
    let near = &before[before.len().saturating_sub(4)..];
    // Further away a denial reaches as far as the thought does.
    let reach = &before[before.len().saturating_sub(9)..];
    let reach = &reach[reach.iter().rposition(turns).map_or(0, |at| at + 1)..];
    let joined = reach.iter().rposition(|word| word == "and").map_or(0, |at| at + 1);
    let asked = before.iter().enumerate().any(|(at, word)| {
        let even = at > 0 && ["even", "as"].contains(&before[at - 1].as_str());
        ASKED.iter().any(|a| is(word, a)) && !even
    });
    // "Had it been superior, …" tells what was not.
    let unreal = words.first().is_some_and(|word| word == "had")
        && words.iter().any(|word| word == "been");
    denies(near)
        || denies(&reach[joined..])
        || denies(&words[found.clone()])
        || words[found.clone()].iter().any(|word| FAINT.iter().any(|of| is(word, of)))
        || asked
        || unreal
        || is_to_come(before)
        || denied_behind(&words[found.end..])
}

/// As in "remains to be validated", "has yet to undergo external validation".
fn is_to_come(before: &[String]) -> bool {
    const SHOWN: [&str; 10] = [
        "found",
        "shown",
        "seen",
        "proved",
        "proven",
        "known",
        "demonstrated",
        "considered",
        "confirmed",
        "said",
    ];
    let near = &before[before.len().saturating_sub(5)..];
    if near.windows(2).any(|pair| pair[0] == "yet" && pair[1] == "to") {
        return true;
    }
    // "It is too early to call it …", "premature to say that …".
    let turn = before.iter().rposition(|word| TURNS.contains(&word.as_str()));
    let reach =
        &before[turn.map_or(0, |at| at + 1).max(before.len().saturating_sub(8))..];
    let too = reach.iter().position(|word| word == "too" || word == "premature");
    if too.is_some_and(|at| reach[at..].iter().any(|word| word == "to")) {
        return true;
    }
    // One adverb may stand between, as in "to be externally validated".
    let adverb = before.last().is_some_and(|word| word.ends_with("ly"));
    let before = &before[..before.len() - usize::from(adverb)];
    match before {
        [.., shown, to, be] if to == "to" && be == "be" => {
            !SHOWN.contains(&shown.as_str())
        }
        [to, be] => to == "to" && be == "be",
        _ => false,
    }
}

/// As in "external validation of the model was not possible", "… is needed".
fn denied_behind(after: &[String]) -> bool {
    const BETWEEN: [&str; 31] = [
        "was", "were", "is", "are", "has", "have", "had", "been", "being", "could",
        "can", "still", "remain", "remains", "did", "does", "of", "the", "this", "model",
        "models", "study", "studies", "cohort", "cohorts", "data", "set", "sets",
        "trial", "trials", "now",
    ];
    const DENIALS: [&str; 22] = [
        "under",
        "underway",
        "ongoing",
        "unknown",
        "unclear",
        "next",
        "never",
        "needed",
        "required",
        "warranted",
        "lacking",
        "pending",
        "planned",
        "missing",
        "unavailable",
        "outstanding",
        "necessary",
        "awaited",
        "absent",
        "impossible",
        "desirable",
        "yet",
    ];
    let skipped = after
        .iter()
        .take(GAP)
        .take_while(|word| BETWEEN.contains(&word.as_str()))
        .count();
    let remains = after[..skipped].iter().any(|word| word.starts_with("remain"));
    let Some(next) = after.get(skipped) else { return false };
    let following = after.get(skipped + 1).map_or("", String::as_str);
    let denies = match next.as_str() {
        // "The external validation, not the internal one" denies the other.
        "not" if skipped == 0 => ["done", "performed", "possible"].contains(&following),
        "not" => following != "only",
        next => DENIALS.contains(&next),
    };
    denies || (remains && next == "to") || not_shown(after)
}

/// As in "superiority over the clinical model could not be shown".
fn not_shown(after: &[String]) -> bool {
    const FAR: usize = 10;
    const ENDS: [&str; 5] = ["and", "that", "when", "where", "after"];
    const SHOWN: [&str; 13] = [
        "shown",
        "demonstrated",
        "found",
        "seen",
        "observed",
        "established",
        "proven",
        "proved",
        "confirmed",
        "reached",
        "achieved",
        "evident",
        "significant",
    ];
    let ends = |word: &&String| {
        !ENDS.contains(&word.as_str()) && !TURNS.contains(&word.as_str())
    };
    let near: Vec<&String> = after.iter().take(FAR).take_while(ends).collect();
    near.windows(3).any(|at| {
        let shown = |word: &str| SHOWN.contains(&word);
        at[0] == "not"
            && (shown(at[1]) || (at[1] == "be" || at[1] == "been") && shown(at[2]))
    }) || near.windows(2).any(|at| at[0] == "not" && SHOWN.contains(&at[1].as_str()))
}

/// Whether a sentence tells what others found: it names them, or stands where others are spoken of,
/// and says nothing of its own study.
pub fn is_of_others(words: &[String], about_others: bool) -> bool {
    const OURS: [&str; 6] = ["our", "ours", "we", "this", "present", "here"];
    const THEIRS: [&str; 3] = ["others", "literature", "colleagues"];
    const OLDER: [&str; 5] = ["previous", "earlier", "prior", "published", "other"];
    const WORK: [&str; 8] = [
        "stud*",
        "work*",
        "report*",
        "model*",
        "paper*",
        "author*",
        "research*",
        "group*",
    ];
    let any = |of: &[&str]| words.iter().any(|word| of.iter().any(|one| is(word, one)));
    let named = words.windows(2).any(|pair| {
        let older = OLDER.contains(&pair[0].as_str());
        (pair[0] == "et" && pair[1] == "al")
            || (older && WORK.iter().any(|work| is(&pair[1], work)))
    });
    (about_others || named || any(&THEIRS)) && !any(&OURS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_they_end() {
        for (text, n) in [
            ("One. Two! Three? Four; five", 5),
            ("An AUC of 0.91 vs. 0.85 (e.g. Zhou et al. 2019).", 1),
            ("Grant no. 5 of the ministry.", 1),
            ("Was it done? No. It was not.", 3),
            ("No leakage.External data", 2),
            ("One (in brackets.) Two", 2),
            ("An AUC of 0.75 (0.60; 0.85). Two", 2),
            ("One (not closed. Two; three", 3),
            ("A line\nof it\n\nand another", 2),
            ("", 0),
            ("…", 0),
        ] {
            assert_eq!(sentences(text).len(), n, "{text}: {:?}", sentences(text));
        }
    }

    #[test]
    fn a_phrase_is_said_unless_it_is_denied() {
        let phrases =
            &["external validation", "external cohort*", "externally validated"];
        for said in [
            "An external validation was done.",
            "Two external cohorts.",
            "We found no leakage. External validation in another hospital was done.",
            "The external validation, not the internal one, counts.",
            "Not only was external validation done, it was done twice.",
            "The model was found to be externally validated.",
            "External validation was not only done but repeated.",
            "No doubt, external validation was a success.",
            "Even if few, external cohorts were met.",
        ] {
            assert!(says(said, phrases), "{said}");
        }
        for denied in [
            "No external validation was done.",
            "The model was not given an external validation",
            "Internal validation.",
            "External validation was not possible.",
            "External validation not done.",
            "External validation of the model is needed.",
            "External validation remains to be done.",
            "It remains to be externally validated.",
            "The model has yet to undergo external validation.",
            "It will be judged in external cohorts.",
            "It should undergo external validation.",
            "We asked whether the model holds in an external cohort.",
            "It is unclear if external validation would succeed.",
            "We found no evidence that the model holds in an external cohort.",
            "We did not have access to an external cohort.",
            "An external validation study is under way.",
            "External cohorts are needed.",
            "External validation of the clinical model could not be achieved.",
            "The model may hold in an external cohort.",
            "Had an external cohort been at hand, we would know.",
        ] {
            assert!(!says(denied, phrases), "{denied}");
        }
        assert!(says("Pre-specified in advance", &["pre specified"]));
        let either = &["transfers|holds well|across", "predicted ~ agree* ~ observed"];
        for said in
            ["It holds across sites.", "Predicted risks agreed with observed ones."]
        {
            assert!(says(said, either), "{said}");
        }
        for denied in [
            "Predicted risks agreed poorly with observed ones.",
            "It is too early to say that it holds across sites.",
            "It would be premature to conclude that it transfers well.",
        ] {
            assert!(!says(denied, either), "{denied}");
        }
    }

    #[test]
    fn what_is_said_is_quoted_and_may_have_a_gap() {
        let phrases = Phrases {
            any_of: &["validated", "validation ~ succe*"],
            but_before: &["questionnaire*"],
            but_behind: &["previously"],
            ..Phrases::new(&[])
        };
        let said = |text: &str| phrases.said(text);
        assert_eq!(said("A Validated model.").as_deref(), Some("validated"));
        assert_eq!(
            said("Validation of the model succeeded.").as_deref(),
            Some("validation of the model succeeded")
        );
        assert_eq!(said("Validation of the model did not succeed."), None);
        assert_eq!(said("Validated questionnaires were used."), None);
        assert_eq!(said("A previously validated score."), None);
        let mixed = "It has yet to be validated and validated questionnaires were used.";
        assert_eq!(said(mixed), None);
    }

    #[test]
    fn a_verb_is_said_where_it_is_affirmed() {
        let phrases = Phrases { verbs: &["generalise"], ..Phrases::new(&[]) };
        for (text, said) in [
            ("It generalises.", "generalises"),
            ("The model is likely to generalise.", "likely to generalise"),
            ("It can readily generalise to others.", "can readily generalise"),
            ("The signature appears to generalise.", "appears to generalise"),
            ("Our models generalise to any scanner.", "models generalise"),
            ("It is more likely to generalise.", "likely to generalise"),
        ] {
            assert_eq!(phrases.said(text).as_deref(), Some(said), "{text}");
        }
        for text in [
            "It is unlikely to generalise.",
            "It is less likely to generalise.",
            "It is not likely to generalise.",
            "It is likely not to generalise.",
            "It may generalise.",
            "It cannot generalise.",
            "It failed to generalise.",
            "To generalise, it needs more data.",
            "We asked whether it is likely to generalise.",
            "We assessed its ability to generalise.",
            "Models that generalise are needed.",
            "It does not generalise.",
        ] {
            assert_eq!(phrases.said(text), None, "{text}");
        }
    }

    #[test]
    fn a_noun_is_said_where_it_is_praised() {
        let phrases = Phrases {
            nouns: &["calibration"],
            but_before: &["scanner*", "error*"],
            ..Phrases::new(&[])
        };
        for (text, said) in [
            ("Good calibration was seen.", "good calibration"),
            (
                "It had good discrimination and calibration.",
                "good discrimination and calibration",
            ),
            ("Calibration was very good.", "calibration was very good"),
            (
                "Calibration of the frozen model was excellent.",
                "calibration of the frozen model was excellent",
            ),
            ("Calibration and fit were adequate.", "calibration and fit were adequate"),
        ] {
            assert_eq!(phrases.said(text).as_deref(), Some(said), "{text}");
        }
        for text in [
            "Calibration was not good.",
            "Calibration was hardly good.",
            "Calibration was less good.",
            "No good calibration was seen.",
            "Calibration of the scanner was good.",
            "Calibration was poor, while discrimination was good.",
            "Calibration was assessed.",
            "Acceptable calibration errors were set.",
        ] {
            assert_eq!(phrases.said(text), None, "{text}");
        }
    }

    #[test]
    fn what_others_found_is_not_ours() {
        let others = |text: &str, there| is_of_others(&words(text), there);
        assert!(others("Smith et al. reported that it outperformed others.", false));
        assert!(others("Earlier models were validated.", false));
        assert!(others("Radiomics is superior to reading.", true));
        assert!(!others("Unlike Smith et al., our model was validated.", false));
        assert!(!others("The model was validated.", false));
    }

    #[test]
    fn a_thought_ends_where_another_begins() {
        let words = words("It was good here but poor there because of them");
        assert_eq!(thought(&words, &(5..6)).join(" "), "poor there");
    }
}
