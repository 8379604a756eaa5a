//! Phrases in the author's texts, sought sentence by sentence. What is denied, still to be done or only
//! asked is not said: see `denial`.

use std::ops::Range;

use super::denial::{denied, denied_around};

/// Words that a gap, written as `~` in a phrase, may span.
pub const GAP: usize = 6;

/// How far apart words may be that say something together.
const TOGETHER: usize = 14;

/// How many words before a phrase may say of what it is said.
const NEAR: usize = 3;

/// Stands among words where a comma ends a subordinate clause, or what a sentence opens with.
const BREAK: &str = ",";

/// Words in lower case without signs; numbers keep their points. Of commas only those stay that end what is
/// said beside: "although it was not planned, …", "the model, which was not tuned, …".
pub fn words(text: &str) -> Vec<String> {
    const OPENING: [&str; 19] = [
        "despite",
        "in",
        "on",
        "at",
        "for",
        "by",
        "with",
        "without",
        "after",
        "before",
        "when",
        "given",
        "unlike",
        "as",
        "once",
        "upon",
        "following",
        "pending",
        "to",
    ];
    let text = without_asides(&text.to_lowercase());
    let mut words: Vec<String> = Vec::new();
    let mut beside = false;
    // Whether nothing but what leads to the main clause has stood so far: "however, in this cohort, …".
    let mut leads = true;
    for (at, piece) in text.split(',').enumerate() {
        if at > 0 && std::mem::take(&mut beside) {
            words.push(BREAK.to_string());
        }
        let first = words.len();
        let bare = piece
            .split(|c: char| !(c.is_alphanumeric() || c == '.' || c == '%'))
            .map(|word| word.trim_end_matches(['.', '%']).to_string())
            .filter(|word| !word.is_empty());
        words.extend(bare);
        let of = &words[first..];
        // "In no cohort, subgroup or site did it …" is one thought.
        let denies = of.get(1).is_some_and(|word| is(word, "no|none|neither|not"));
        let opens = leads && !denies && opening(of).is_some_and(|w| is_one(w, &OPENING));
        leads &= opens || of.len() <= 2;
        beside = opens || of.iter().any(|word| is(word, BESIDE));
    }
    words
}

/// The first word that is no adverb before it: "even without …", "then, in …".
fn opening(words: &[String]) -> Option<&String> {
    const BEFORE: &str =
        "even|also|only|then|thus|and|but|so|especially|particularly|notably";
    words.iter().find(|word| !is(word, BEFORE))
}

/// A sentence without what is set against the rest of it between commas, dashes or brackets, as in
/// "radiomics, but not perfusion, was …", "radiomics (unlike age) was …": that denies something else.
fn without_asides(text: &str) -> String {
    const LEADS: &str = "but|and|though|although|if|albeit";
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find([',', '(', '–', '—']) {
        let mark = rest[at..].chars().next().unwrap_or(',');
        let (before, after) = (&rest[..at], &rest[at + mark.len_utf8()..]);
        kept.push_str(before);
        let close = if mark == '(' { ')' } else { mark };
        let mut words = after.split_whitespace();
        let first = words.next().unwrap_or("");
        let next = words.next().unwrap_or("");
        let (not, behind) = match is(first, LEADS) {
            true => (next, words.next().unwrap_or("")),
            false => (first, next),
        };
        let against = is(not, "not|unlike|nor") && !is(behind, "only|yet");
        // What has a clause of its own is read on.
        let is_aside =
            |end: &usize| !after[..*end].split_whitespace().any(|word| is(word, FINITE));
        match after.find(close).filter(|end| against && is_aside(end)) {
            Some(end) => {
                kept.push(' ');
                rest = &after[end + close.len_utf8()..];
            }
            None => {
                kept.push(mark);
                rest = after;
            }
        }
    }
    kept + rest
}

/// Verbs that make a clause.
const FINITE: &str =
    "is|are|was|were|has|have|had|do|does|did|can|could|will|would|may|might|should|must";

/// Words that begin what is said beside.
const BESIDE: &str = "while|whereas|although|though|because|since|which";

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

/// The sentences of a text that say something: a question does not.
pub fn statements(text: &str) -> Vec<&str> {
    let mut sentences = sentences(text);
    sentences.retain(|sentence| !sentence.trim_end().ends_with('?'));
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
/// some words, `~1` for one of at most one and `~~` for what else is said of a noun; and what is claimed by a verb or by praise of a noun, whatever
/// stands between. Denials and hedges are the same for all of them.
#[derive(Clone, Copy)]
pub struct Phrases<'p> {
    pub any_of: &'p [&'p str],
    /// Verbs as in "generalise": said by "generalises", and where it is affirmed: "is likely to generalise".
    pub verbs: &'p [&'p str],
    /// Nouns that are said where they are praised: "good calibration", "calibration of it was good".
    pub nouns: &'p [&'p str],
    /// Nouns that are praise themselves, so that they are said where they are shown as well: "supports its
    /// robustness", "robustness was confirmed".
    pub qualities: &'p [&'p str],
    /// Where a noun follows a single word of these, it has to be one of these: "a validated model", not "a
    /// validated assay". Empty where any will do.
    pub of: &'p [&'p str],
    /// Words that say it together, in any order and within one thought, as in "agreement of predicted with
    /// observed risks was good".
    pub together: &'p [&'p [&'p str]],
    /// Where one of these stands in the same thought, words together mean something else.
    pub but_with: &'p [&'p str],
    /// Words before one of these it means something else, as in "superior temporal gyrus".
    pub but_before: &'p [&'p str],
    /// And shortly behind one of these, as in "previously validated", "the assay was validated".
    pub but_behind: &'p [&'p str],
}

impl<'p> Phrases<'p> {
    pub const fn new(any_of: &'p [&'p str]) -> Self {
        Self {
            any_of,
            verbs: &[],
            nouns: &[],
            qualities: &[],
            of: &[],
            together: &[],
            but_with: &[],
            but_before: &[],
            but_behind: &[],
        }
    }

    /// What a text says of them, in its own words; none where it denies it.
    pub fn said(&self, text: &str) -> Option<String> {
        statements(text).into_iter().find_map(|sentence| {
            let words = words(sentence);
            let found = self.within(&words)?;
            Some(words[found].join(" "))
        })
    }

    /// Every place where the words of one sentence say one of the phrases, and one where they say it by a
    /// verb, by praise or together.
    pub fn every(&self, words: &[String]) -> Vec<Range<usize>> {
        let mut all: Vec<Range<usize>> = Vec::new();
        for phrase in self.any_of {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            for at in 0..words.len() {
                let found = length(&words[at..], &phrase).map(|n| at..at + n);
                let said = found.filter(|found| self.is_said(words, found, &phrase));
                all.extend(said.filter(|found| !all.contains(found)));
            }
        }
        all.extend(self.otherwise(words));
        all
    }

    /// Whether a phrase that stands there is meant and not denied.
    fn is_said(&self, words: &[String], found: &Range<usize>, phrase: &[&str]) -> bool {
        // "No departure from the diagonal" is said by its "no".
        let negative = phrase.iter().any(|word| word.starts_with("no|"));
        let denied = match negative {
            true => denied_around(words, found),
            false => denied(words, found),
        };
        !denied && self.is_meant(words, found)
    }

    /// Where the words of one sentence say one of them.
    pub fn within(&self, words: &[String]) -> Option<Range<usize>> {
        let places = || 0..words.len();
        let phrase = self.any_of.iter().find_map(|phrase| {
            let phrase: Vec<&str> = phrase.split(' ').collect();
            places().find_map(|at| {
                let found = at..at + length(&words[at..], &phrase)?;
                self.is_said(words, &found, &phrase).then_some(found)
            })
        });
        phrase.or_else(|| self.otherwise(words))
    }

    /// Where they say it by a verb, by praise of a noun or together.
    fn otherwise(&self, words: &[String]) -> Option<Range<usize>> {
        let places = || 0..words.len();
        let held =
            |found: &Range<usize>| self.is_meant(words, found) && !denied(words, found);
        places()
            .find_map(|at| self.verb(words, at).filter(held))
            .or_else(|| places().find_map(|at| self.praised(words, at).filter(held)))
            .or_else(|| places().find_map(|at| self.shown(words, at).filter(held)))
            .or_else(|| self.together.iter().find_map(|all| self.joined(words, all)))
    }

    /// Words that say it together, each thought by itself.
    fn joined(&self, words: &[String], all: &[&str]) -> Option<Range<usize>> {
        let mut start = 0;
        for thought in words.split(|word| is_turn(word)) {
            let first = |wanted: &&str| {
                let at = thought.iter().position(|word| is(word, wanted))?;
                Some(start + at)
            };
            let at: Option<Vec<usize>> = all.iter().map(first).collect();
            let other = thought.iter().any(|word| is_one(word, self.but_with));
            if let Some(at) = at.filter(|_| !other)
                && let (Some(from), Some(to)) = (at.iter().min(), at.iter().max())
                && to - from <= TOGETHER
            {
                let found = *from..to + 1;
                if !denied(words, &found) {
                    return Some(found);
                }
            }
            start += thought.len() + 1;
        }
        None
    }

    /// Whether it means here what is sought: of words about it the noun may come later, as in "a validated
    /// histochemical assay".
    fn is_meant(&self, words: &[String], found: &Range<usize>) -> bool {
        const ENDS: &str = "using|when|after|before|but|to|than|of|in|for|the|a|an|by|and|or|was|were|is|are|with|on|at|over|from|as|that|across|throughout|within|between|among|under|despite|without|if|where";
        let mut near = words[found.start.saturating_sub(NEAR)..found.start].iter();
        const OWNERS: &str = "the|a|an|our|this|these|its|both|all";
        let noun = words[found.end..].iter().skip_while(|word| is(word, OWNERS));
        let mut noun = noun
            .take_while(|word| !is(word, ENDS) && !is_turn(word))
            .filter(|word| !word.ends_with("ly") && !is(word, "here|once|twice"))
            .peekable();
        // "A validated model", "well-calibrated probabilities", "equipment was well calibrated".
        let participle = found.len() == 1 || words[found.end - 1] == "calibrated";
        let single = participle && !self.of.is_empty();
        let other =
            single && noun.peek().is_some() && !noun.any(|word| is_one(word, self.of));
        let mut behind = words[found.end..].iter().take(NEAR);
        let next = behind.next().is_some_and(|word| is_one(word, self.but_before));
        let first = words.get(found.end).is_none_or(|word| is(word, ENDS));
        let mut same = behind.take_while(|word| !is(word, ENDS) && *word != BREAK);
        let another = other
            || single && self.is_of_another(words, found)
            || !self.of.is_empty() && self.names_another(words, found);
        let beside = next || near.any(|word| is_one(word, self.but_behind));
        if another || beside {
            return false;
        }
        first || !same.any(|word| is_one(word, self.but_before))
    }

    /// Whether it is what something else is called, as in "sequencing remains the only reliable method".
    fn names_another(&self, words: &[String], found: &Range<usize>) -> bool {
        const LEADS: &str = "a|an|the|only|one|most|highly|very|more|of|as|and|well|known|established|robust|reliable|valid|accurate|simple|new|sensitive|fast";
        const CALLS: &str = "is|are|was|were|remain|remains|remained|represents|constitutes|became|serves";
        const OURS: &str = "we|it|there|this|these|that|they|which|who|both|all|its|our|study|feature*|texture*|mri|imaging|image*|learning|network*|analysis|combination|score*|data|set|ai";
        let leads = words[..found.start].iter().rev().take_while(|word| is(word, LEADS));
        let Some(verb) = (found.start - leads.count()).checked_sub(1) else {
            return false;
        };
        let article =
            words[verb + 1..found.start].iter().any(|word| is(word, "a|an|the|one|as"));
        if !article || !is(&words[verb], CALLS) {
            return false;
        }
        let start = words[..verb]
            .iter()
            .rposition(|word| is_turn(word) || is(word, "that|and|where"))
            .map_or(0, |at| at + 1);
        let subject = &words[start..verb];
        !subject.is_empty()
            && !subject.iter().any(|word| is_one(word, self.of) || is(word, OURS))
    }

    /// Whether a passive is said of something else, as in "the genotype was validated by sequencing".
    fn is_of_another(&self, words: &[String], found: &Range<usize>) -> bool {
        const BE: &str = "is|are|was|were|been|be|being|has|have|had|also|then|thus|to|found|shown|seen|considered|judged|deemed|proved|proven|appeared|seemed|remained";
        let skipped = words[..found.start].iter().rev();
        let skipped = skipped.take_while(|word| is(word, BE) || word.ends_with("ly"));
        let subject_end = found.start - skipped.count();
        let passive = words[subject_end..found.start]
            .iter()
            .any(|word| is(word, "is|are|was|were|been|be|being"));
        // The subject is what stands from the last turn of the sentence on.
        let start = words[..subject_end]
            .iter()
            .rposition(|word| is_turn(word) || is(word, "that|and|where|as|is|was"))
            .map_or(0, |at| at + 1);
        let subject = &words[start..subject_end];
        const OURS: &str = "we|this|these|they|which|who|both|all|study|approach";
        passive
            && !subject.is_empty()
            && !subject.iter().any(|word| is_one(word, self.of) || is(word, OURS))
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
        const PRAISE: [&str; 15] = [
            "good",
            "strong",
            "high",
            "great",
            "broad",
            "robust",
            "remarkable",
            "excellent",
            "adequate",
            "satisfactory",
            "acceptable",
            "perfect",
            "outstanding",
            "favourable|favorable",
            "convincing",
        ];
        let praise = |at: usize| words.get(at).is_some_and(|word| is_one(word, &PRAISE));
        if !is_one(&words[at], self.nouns) && !is_one(&words[at], self.qualities) {
            return None;
        }
        // What was said of something else is another's: "discrimination was good, calibration was not".
        let of_other = at > 1 && is_one(&words[at - 2], &ARE);
        if at > 0 && praise(at - 1) && !of_other {
            return Some(at - 1..at + 1);
        }
        // "Good model calibration".
        const WHOSE: &str =
            "model|overall|internal|risk|general|visual|global|graphical|statistical";
        if at > 1 && is(&words[at - 1], WHOSE) && praise(at - 2) {
            return Some(at - 2..at + 1);
        }
        // "Good discrimination and calibration".
        if at > 2 && words[at - 1] == "and" && praise(at - 3) {
            return Some(at - 3..at + 1);
        }
        let said = self.predicate(words, at)?;
        praise(said).then_some(at..said + 1)
    }

    /// One of the qualities, with what shows that it is there.
    fn shown(&self, words: &[String], at: usize) -> Option<Range<usize>> {
        const SHOW: &str = "confirm*|support*|prove*|establish*|demonstrat*|underlin*|underscor*|verif*|show|shows|showed|shown|indicat*|ensur*|attest*|corroborat*|suggest*|evidenc*|illustrat*|highlight*";
        if !is_one(&words[at], self.qualities) {
            return None;
        }
        // Nothing but articles, owners and adjectives stand between a verb and its noun.
        const CLOSE: &str = "the|its|their|our|this|a|an|both|and|of|to|model|models|signature|broad|wide|good|high";
        let before = words[..at].iter().rev().take_while(|word| {
            is(word, CLOSE) || word.ends_with("al") || word.ends_with("ity")
        });
        let verb = at.checked_sub(before.count() + 1);
        if let Some(verb) = verb.filter(|verb| is(&words[*verb], SHOW)) {
            return Some(verb..at + 1);
        }
        let said = self.predicate(words, at)?;
        // "Its generalisability is a key strength".
        let merit = words[said..]
            .iter()
            .take(4)
            .position(|word| is(word, "strength|strengths|asset|advantage|merit"));
        let end = said + merit.unwrap_or(0) + 1;
        (merit.is_some() || is(words.get(said)?, SHOW)).then_some(at..end)
    }

    /// Where what is said of a noun stands, as in "calibration of the model was very good".
    fn predicate(&self, words: &[String], at: usize) -> Option<usize> {
        /// Words between a noun and what is said of it.
        const BETWEEN: usize = 6;
        let behind = words.get(at + 1..)?.iter().take(BETWEEN + 1);
        let are = at + 1 + behind.clone().position(|word| is_one(word, &ARE))?;
        let between = &words[at + 1..are];
        let other = |word: &String| is_one(word, self.but_before) || is_turn(word);
        let adverb = words.get(are + 1).is_some_and(|word| {
            ["very", "also"].contains(&word.as_str()) || word.ends_with("ly")
        });
        // "Calibration was found to be good", "was deemed good", "proved to be good".
        let word = |at: usize| words.get(at).map_or("", String::as_str);
        const FOUND: &str = "found|judged|deemed|considered|rated";
        let to_be = |at: usize| word(at) == "to" && word(at + 1) == "be";
        // "Robustness was shown" ends there; "was shown to be good" goes on.
        let called =
            is(word(are + 1), FOUND) || is(word(are + 1), "shown|seen") && to_be(are + 2);
        let found = are + 1 + usize::from(called);
        let to_be = to_be(found);
        if found > are + 1 || to_be {
            let said = found + if to_be { 2 } else { 0 };
            let very = usize::from(is(word(said), "very|highly|quite|generally"));
            return (!between.iter().any(other)).then_some(said + very);
        }
        let hardly = adverb && is_one(&words[are + 1], &["hardly|barely|scarcely|only"]);
        (!hardly && !between.iter().any(other)).then_some(are + 1 + usize::from(adverb))
    }
}

const ARE: [&str; 9] =
    ["is", "are", "was", "were", "remains", "remained", "proved", "appeared", "seemed"];

pub fn is_one(word: &str, of: &[&str]) -> bool {
    of.iter().any(|wanted| is(word, wanted))
}

/// Whether a text says one of these phrases.
pub fn says(text: &str, phrases: &[&str]) -> bool {
    Phrases::new(phrases).said(text).is_some()
}

/// Whether a word is the wanted one, or begins with its stem; `a|b` is either.
pub fn is(word: &str, wanted: &str) -> bool {
    // Every word of a text is held against hundreds of these lists.
    let (word, mut rest) = (word.as_bytes(), wanted.as_bytes());
    loop {
        let end = rest.iter().position(|byte| *byte == b'|').unwrap_or(rest.len());
        let found = match &rest[..end] {
            [stem @ .., b'*'] => word.starts_with(stem),
            whole => word == whole,
        };
        if found || end == rest.len() {
            return found;
        }
        rest = &rest[end + 1..];
    }
}

/// How many of the first words a phrase takes, if they are it.
fn length(words: &[String], phrase: &[&str]) -> Option<usize> {
    match phrase.split_first() {
        None => Some(0),
        // Whatever else is said of a noun before it: "a valid, non-invasive and simple biomarker".
        Some((&"~~", rest)) => {
            let open = words.iter().take(GAP).take_while(|word| modifies(word)).count();
            (0..=open)
                .rev()
                .find_map(|skipped| Some(skipped + length(&words[skipped..], rest)?))
        }
        Some((gap, rest)) if gap.starts_with('~') => {
            let most = gap[1..].parse().unwrap_or(GAP);
            // A gap lies within one thought.
            let open = words.iter().take(most).take_while(|word| !is_turn(word)).count();
            (0..=open)
                .find_map(|skipped| Some(skipped + length(&words[skipped..], rest)?))
        }
        Some((wanted, rest)) => {
            let (first, others) = words.split_first()?;
            is(first, wanted).then(|| length(others, rest)).flatten().map(|n| n + 1)
        }
    }
}

/// Words that stand between an adjective and its noun.
fn modifies(word: &str) -> bool {
    const WORDS: &str =
        "and|or|yet|non|pre|mri|mr|ct|pet|new|novel|simple|open|multi|deep|model";
    const ENDS: [&str; 11] =
        ["ly", "ful", "ive", "al", "able", "ible", "ic", "ics", "ous", "ed", "ing"];
    is(word, WORDS) || ENDS.iter().any(|end| word.len() > 4 && word.ends_with(end))
}

/// Words that begin another thought: what is denied before them is denied there.
pub fn is_turn(word: &str) -> bool {
    word == BREAK || is(word, "but|however") || is(word, BESIDE)
}

/// The words from the last turn before a phrase to the next one behind it.
pub fn thought<'w>(words: &'w [String], found: &Range<usize>) -> &'w [String] {
    let start = words[..found.start]
        .iter()
        .rposition(|word| is_turn(word))
        .map_or(0, |at| at + 1);
    let end = words[found.end..].iter().position(|word| is_turn(word));
    &words[start..end.map_or(words.len(), |at| found.end + at)]
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
            "Another hospital served for external validation.",
            "Before external validation, the model was frozen.",
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
            "Agreements for external validation are being negotiated.",
            "Before external validation, conclusions are premature.",
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
            ("Calibration was deemed good.", "calibration was deemed good"),
            ("Calibration proved to be good.", "calibration proved to be good"),
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
    fn words_may_say_it_together_in_any_order() {
        let phrases = Phrases {
            together: &[&["good", "agreement", "predicted", "observed"]],
            but_with: &["contours"],
            ..Phrases::new(&[])
        };
        for said in [
            "Good agreement between predicted and observed risks.",
            "Agreement of observed with predicted risks was good.",
        ] {
            assert!(phrases.said(said).is_some(), "{said}");
        }
        for text in [
            "No good agreement of predicted with observed risks.",
            "Good agreement of predicted and observed contours.",
            "Agreement was good, but predicted and observed risks were not compared.",
        ] {
            assert_eq!(phrases.said(text), None, "{text}");
        }
    }

    #[test]
    fn a_quality_is_said_where_it_is_shown() {
        let phrases = Phrases { qualities: &["robustness"], ..Phrases::new(&[]) };
        for (text, said) in [
            ("This confirms the robustness of it.", "confirms the robustness"),
            ("Robustness of the model was shown.", "robustness of the model was shown"),
            ("Its high robustness is known.", "high robustness"),
        ] {
            assert_eq!(phrases.said(text).as_deref(), Some(said), "{text}");
        }
        for text in [
            "Robustness was assessed.",
            "Robustness was not shown.",
            "This limits the robustness of it.",
            "To show robustness, more data are needed.",
        ] {
            assert_eq!(phrases.said(text), None, "{text}");
        }
    }

    #[test]
    fn a_noun_behind_a_word_may_be_another_than_is_meant() {
        let phrases = Phrases {
            of: &["model*", "it"],
            but_before: &["assay*"],
            ..Phrases::new(&["validated", "robust ~1 tool*", "no|without ~1 departure"])
        };
        for (text, said) in [
            ("We validated the radiomics model.", "validated"),
            ("The model was finally validated.", "validated"),
            ("It was validated in 60 patients.", "validated"),
            ("A robust clinical tool.", "robust clinical tool"),
            ("There was no clear departure.", "no clear departure"),
        ] {
            assert_eq!(phrases.said(text).as_deref(), Some(said), "{text}");
        }
        for text in [
            "We validated the contours.",
            "The genotype was validated by sequencing.",
            "A validated model assay.",
            "Robust features went into the tool.",
            "It was not without departure.",
        ] {
            assert_eq!(phrases.said(text), None, "{text}");
        }
    }

    #[test]
    fn commas_that_end_what_is_said_beside_stay() {
        for (text, n) in [
            ("Although it is small, it is good", 1),
            ("The model, which was not tuned, is good", 1),
            ("It has age, sex and grade", 0),
            ("Despite few events, age, and sex, it is good", 1),
            ("In no cohort, site or group was it good", 0),
        ] {
            let words = words(text);
            assert_eq!(words.iter().filter(|word| *word == BREAK).count(), n, "{text}");
        }
    }

    #[test]
    fn what_is_set_against_the_rest_is_left_aside() {
        for (text, plain) in [
            ("it, but not age, was good", "it was good"),
            ("it (unlike age) was good", "it was good"),
            ("it – not age – was good", "it was good"),
            ("it was not, however, good", "it was not however good"),
            ("it, not only once, was good", "it not only once was good"),
            ("it (P = .03) was good", "it p .03 was good"),
        ] {
            assert_eq!(words(text).join(" "), plain, "{text}");
        }
    }

    #[test]
    fn a_question_states_nothing() {
        assert_eq!(statements("Is it good? It is."), [" It is."]);
    }

    #[test]
    fn every_place_is_found() {
        let phrases = Phrases::new(&["good", "very ~~ model"]);
        let words = words("It was good, a very simple and open model, and good.");
        assert_eq!(phrases.every(&words).len(), 3);
    }

    #[test]
    fn what_another_thing_is_called_is_said_of_that() {
        let phrases =
            Phrases { of: &["model*"], ..Phrases::new(&["reliable ~~ marker"]) };
        assert!(phrases.said("The model is a reliable, simple marker.").is_some());
        assert!(phrases.said("We found a reliable marker.").is_some());
        assert_eq!(phrases.said("Age is a reliable marker."), None);
    }

    #[test]
    fn a_thought_ends_where_another_begins() {
        let words = words("It was good here but poor there because of them");
        assert_eq!(thought(&words, &(5..6)).join(" "), "poor there");
    }
}
