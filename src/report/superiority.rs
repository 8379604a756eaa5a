//! Whether a text that calls one model superior means a comparison that shows it: the models and the
//! cohort that the sentence names, and the direction.

use std::ops::Range;

use super::attribution::told_of_others;
use super::denial::is_asserted;
use super::places::{Place, parts, places};
use super::shown::plain;
use super::standing::{headline, model, same_question};
use super::wording::{Phrases, is, is_turn, statements, words};
use crate::data::{AnalysisRecord, Compared, StudyRecord};

const SUPERIOR: Phrases<'static> = Phrases {
    any_of: &[
        "superior",
        "superiority",
        "outperform*",
        "surpass*",
        "significantly better",
        "statistically better",
        "outperformance",
        "eclips*|outclass*|outstrip*|outdo*|outrank*",
    ],
    // Parts of the body, and what a scanner is good at.
    but_before: &[
        "temporal",
        "frontal",
        "parietal",
        "sagittal",
        "vena",
        "mesenteric",
        "colliculus",
        "inferior",
        "cerebellar",
        "longitudinal",
        "lobe*",
        "gyrus",
        "sulcus",
        "soft",
        "contrast",
        "image*",
        "spatial",
    ],
    ..Phrases::new(&[])
};

/// Weaker words, which mean this where the sentence says which model is behind.
const BETTER: Phrases<'static> = Phrases {
    any_of: &[
        "better",
        "larger",
        "raise*|rose|rises|boost*",
        "more accurate|discriminati*|predictive",
        "higher",
        "greater",
        "exceed*",
        "beat|beats|beaten",
        "favour*|favor*",
        "edge|benefit*",
        "ranked|ranks ~1 above|first|higher|ahead",
        "ahead of",
        "highest|greatest|largest|best ~1 auc*|auroc*|accura*|discriminat*|perform*|power|yield",
        "significantly above",
        "stronger",
        "perform*|fare*|did|does|score*|discriminat* ~1 best",
        "improv*",
        "improve*",
        "increase*",
        "added|incremental|additional ~1 value",
        "adds|add|added ~1 value|information",
        "advantage*",
        "gain*",
        "adds|add to",
        "best ~1 model|performance|discrimination|predictor",
        "enhance*|strengthen*",
    ],
    but_before: &["calibrated", "calibration", "age", "grade*", "share*", "number*"],
    // Scans are enhanced, and a split of a tree gains information.
    but_behind: &["contrast", "gadolinium", "information", "weight"],
    ..Phrases::new(&[])
};

/// The other way round: the model that is named first is behind.
const WORSE: Phrases<'static> = Phrases {
    any_of: &[
        "inferior",
        "worse",
        "poorer",
        "underperform*",
        "trail|trails|trailed|trailing",
        "lag|lags|lagged|lagging",
        "fell|falls|fall|fallen ~1 short|behind",
        "lost|loses to",
        "no|not|never|cannot reach|match|attain|equal|rival|approach",
        "less accurate|discriminati*|predictive",
        "lower|smaller",
        "lower ~1 auc*|auroc*|accura*|discriminat*|perform*",
    ],
    but_before: &[
        "significan*",
        "statistical*",
        "frontal",
        "parietal",
        "temporal",
        "vena",
        "lobe*",
        "gyrus",
        "colliculus",
    ],
    but_behind: &["non"],
    ..Phrases::new(&[])
};

/// Two models on the same rows of one cohort, with what came of it.
struct Pair<'r> {
    better: String,
    than: String,
    of: &'r AnalysisRecord,
    result: &'r Compared,
}

impl Pair<'_> {
    /// The one whose whole interval is on its side, and the other.
    fn decided(&self) -> Option<(&str, &str)> {
        const LESS_IS_BETTER: [&str; 5] = ["brier", "log_loss", "ici", "e50", "e90"];
        let (first, second) = match LESS_IS_BETTER.contains(&self.of.primary.as_str()) {
            true => (&self.than, &self.better),
            false => (&self.better, &self.than),
        };
        if self.result.lower.is_some_and(|lower| lower > 0.0) {
            return Some((first, second));
        }
        let below = self.result.upper.is_some_and(|upper| upper < 0.0);
        below.then_some((second, first))
    }

    fn told(&self) -> String {
        let between = match (self.result.lower, self.result.upper) {
            (Some(lower), Some(upper)) => {
                format!(" ({} to {})", plain(lower, 2), plain(upper, 2))
            }
            _ => ", without an interval".to_string(),
        };
        format!(
            "{} less {} in {} is {}{between}",
            self.better,
            self.than,
            self.of.cohort,
            plain(self.result.difference, 2)
        )
    }
}

/// What a sentence calls superior.
struct Claim {
    better: Vec<String>,
    than: Vec<String>,
    places: Vec<Place>,
}

/// Each field that calls a model superior where no comparison shows it, with why not.
pub fn superior(
    record: &StudyRecord,
    texts: Vec<(String, String)>,
    about_others: fn(&str) -> bool,
) -> Vec<(String, String)> {
    let pairs = pairs(record);
    let of = |(field, text): (String, String)| {
        let there = about_others(&field);
        let (said, why) = statements(&text).into_iter().find_map(|sentence| {
            let words = words(sentence);
            let strong = SUPERIOR.every(&words).into_iter().find(|found| {
                let noun = is(&words[found.start], "superiority|outperformance");
                is_of_models(&pairs, &words) && (!noun || is_asserted(&words, found))
            });
            let found = match strong {
                Some(found) => found,
                None => weakly(record, &pairs, &words)?,
            };
            if told_of_others(&words, &found, there) {
                return None;
            }
            let why = contradicted(record, &pairs, &words, &found)?;
            let said = sentence.split_whitespace().collect::<Vec<_>>().join(" ");
            Some((said, why))
        })?;
        let text = format!("`{field}` says “{said}”, and {why}");
        Some((field, text))
    };
    texts.into_iter().filter_map(of).collect()
}

/// Whether a sentence speaks of models at all, and not of scanners or of parts of the body.
fn is_of_models(pairs: &[Pair<'_>], words: &[String]) -> bool {
    const MODELS: &str = "model*|signature*|nomogram*|classifier*|score*|algorithm*|approach*|radiomic*|radiogenomic*|predict*|discriminat*|perform*|auc*|auroc*|accura*|it|its|they|method*|result*|this|we|our";
    let named = pairs
        .iter()
        .any(|pair| !named(words, &[pair.better.clone(), pair.than.clone()]).is_empty());
    named || words.iter().any(|word| is(word, MODELS))
}

/// Where a sentence says in weaker words that one compared model is better than another.
fn weakly(
    record: &StudyRecord,
    pairs: &[Pair<'_>],
    words: &[String],
) -> Option<Range<usize>> {
    let mut found = BETTER.every(words);
    found.extend(WORSE.every(words));
    found.into_iter().find(|found| is_weak_claim(record, pairs, words, found))
}

/// Whether a weaker word says of one compared model that it is better than another.
fn is_weak_claim(
    record: &StudyRecord,
    pairs: &[Pair<'_>],
    words: &[String],
    found: &Range<usize>,
) -> bool {
    // What is higher or exceeded is a measure, not a share of patients.
    const BARE: [&str; 6] = [
        "higher|larger",
        "greater",
        "exceed*",
        "increase*",
        "raise*|rose|rises|boost*",
        "lower|smaller",
    ];
    const MEASURED: [&str; 11] = [
        "auc*",
        "auroc*",
        "discriminat*",
        "perform*",
        "accura*",
        "predict*",
        "statistic",
        "yield",
        "power",
        "ability",
        "diagnos*",
    ];
    let one_of = |word: &String, of: &[&str]| of.iter().any(|one| is(word, one));
    let measured = words.iter().any(|word| one_of(word, &MEASURED));
    // What is gained or enhanced may be anything else, where nothing is measured or compared.
    const GAINED: [&str; 4] =
        ["gain*", "advantage*", "enhance*|strengthen*", "edge|benefit*"];
    const COMPARED: [&str; 4] = ["over", "to", "beyond", "top"];
    let word = &words[found.start];
    // "Lower-grade glioma" is no lower measure.
    const GO_ON: &str =
        "than|in|for|with|when|by|and|but|at|on|to|among|after|if|compared|from";
    let after = &words[found.end..];
    let of_noun = is(word, "higher|larger|greater|lower|smaller")
        && after.first().is_some_and(|next| !is(next, GO_ON))
        && !after.iter().take(4).any(|word| one_of(word, &MEASURED));
    let compares = measured || words.iter().any(|word| one_of(word, &COMPARED));
    if of_noun
        || (one_of(word, &BARE) && !measured)
        || (one_of(word, &GAINED) && !compares)
        || over_chance(&words[found.end..])
        || by_chance(words, found)
    {
        return false;
    }
    let claim = claimed(record, pairs, words, found);
    // "Of the two, radiomics had the higher AUC", "radiomics proved to be the better model".
    let of_all = measured_noun(words, found)
        || words.windows(2).any(|pair| {
            is(&pair[0], "the|both|all|these")
                && is(
                    &pair[1],
                    "two|three|four|models|competing|approaches|methods|classifiers|signatures",
                )
        });
    let alone = of_all && names_better(pairs, words);
    !claim.than.is_empty() || alone
}

/// As in "the better model", "the best predictor".
fn measured_noun(words: &[String], found: &Range<usize>) -> bool {
    let the = found.start.checked_sub(1).is_some_and(|at| is(&words[at], "the|our"));
    let of = |at: usize| {
        words.get(at).is_some_and(|word| is(word, "model|predictor|classifier|signature"))
    };
    the && (of(found.end) || of(found.end - 1))
        && is(&words[found.start], "better|best|superior|more")
}

/// Whether one of the compared models is named at all.
fn names_better(pairs: &[Pair<'_>], words: &[String]) -> bool {
    pairs
        .iter()
        .any(|pair| !named(words, &[pair.better.clone(), pair.than.clone()]).is_empty())
}

/// Every compared pair that has a result.
fn pairs(record: &StudyRecord) -> Vec<Pair<'_>> {
    let pairs = record.comparisons.iter().filter_map(|facts| {
        let of = record.analyses.get(&facts.better)?;
        let than = model(record.analyses.get(&facts.than)?);
        Some(Pair { better: model(of), than, of, result: facts.result.as_ref()? })
    });
    pairs.collect()
}

/// Why the comparisons do not show what a sentence says, if they do not.
fn contradicted(
    record: &StudyRecord,
    pairs: &[Pair<'_>],
    words: &[String],
    found: &Range<usize>,
) -> Option<String> {
    if over_chance(&words[found.end..]) {
        return below_chance(record);
    }
    if pairs.is_empty() {
        return Some("no comparison of models was made on the same splits".to_string());
    }
    let claim = claimed(record, pairs, words, found);
    let places: Vec<Option<&Place>> = match claim.places.is_empty() {
        true => vec![None],
        false => claim.places.iter().map(Some).collect(),
    };
    places.into_iter().find_map(|place| missed(pairs, &claim, place))
}

/// What the pairs of one place show instead, if none shows it.
fn missed(pairs: &[Pair<'_>], claim: &Claim, place: Option<&Place>) -> Option<String> {
    let named = |models: &[String], model: &str| {
        models.is_empty() || models.iter().any(|known| known == model)
    };
    let meant = |pair: &&Pair<'_>| {
        let there = place.is_none_or(|place| place.holds(pair.of));
        let one = |a: &str, b: &str| named(&claim.better, a) && named(&claim.than, b);
        there && (one(&pair.better, &pair.than) || one(&pair.than, &pair.better))
    };
    let meant: Vec<&Pair<'_>> = pairs.iter().filter(meant).collect();
    let shows = |pair: &&Pair<'_>| {
        pair.decided().is_some_and(|(better, than)| {
            named(&claim.better, better) && named(&claim.than, than)
        })
    };
    if meant.iter().any(shows) {
        return None;
    }
    if meant.is_empty() {
        return Some("what it compares was not compared on the same splits".to_string());
    }
    let told: Vec<String> = meant.iter().take(3).map(|pair| pair.told()).collect();
    let more = if meant.len() > told.len() { ", and so on" } else { "" };
    Some(format!("no compared difference shows it: {}{more}", told.join("; ")))
}

/// The models and places that a sentence names. Where it names no better one, that of the headline
/// is meant, if it was compared at all.
fn claimed(
    record: &StudyRecord,
    pairs: &[Pair<'_>],
    words: &[String],
    found: &Range<usize>,
) -> Claim {
    const THAN: [&str; 12] = [
        "to", "than", "over", "on", "upon", "beyond", "by", "compared", "against",
        "versus", "vs", "relative",
    ];
    let mut models: Vec<String> = Vec::new();
    for pair in pairs {
        for name in [&pair.better, &pair.than] {
            if !models.contains(name) {
                models.push(name.clone());
            }
        }
    }
    let named = named(words, &models);
    const VERBS: [&str; 7] = [
        "outperform*",
        "surpass*",
        "exceed*",
        "beat|beats|beaten",
        "trail*|lag*|underperform*|fell|falls|lost|loses",
        "eclips*|outclass*|outstrip*|outdo*|outrank*",
        "not|no|never|cannot",
    ];
    // "Radiomics improved the clinical model", "the clinical model was improved by radiomics".
    let object =
        words.get(found.end).is_some_and(|word| is(word, "the|its|discrimination|auc"));
    let raises = object
        && is(&words[found.start], "increased|increases|raised|raises|boosted|boosts");
    let betters = (raises || is(&words[found.start], "improve*|enhance*|strengthen*"))
        && !is(&words[found.start], "improvement*|enhancement*")
        // "Improved discrimination of A over B" has its subject behind it.
        && words[..found.start].iter().any(|word| !is(word, "the|an|a|significantly"));
    let verb = VERBS.iter().any(|verb| is(&words[found.start], verb));
    let next = words.get(found.end).map_or("", String::as_str);
    let passive = verb && next == "by" || betters && is(next, "by|when|after|with");
    let verb = verb || betters;
    // "Compared with A, B was superior": the first model behind it is the other one.
    let other = words[..found.start]
        .iter()
        .position(|word| is(word, "compared|versus|vs|relative|unlike|instead|rather"));
    // "While A was poor, B was superior": so it is where another model follows.
    let beside = words[..found.start].iter().position(|word| is(word, "while|whereas"));
    let beside = beside.filter(|at| {
        let end = words[*at + 1..found.start].iter().position(|word| is_turn(word));
        let end = end.map_or(found.start, |end| at + 1 + end);
        named.iter().any(|(from, _)| (end..found.start).contains(from))
    });
    let other =
        other.or(beside).and_then(|at| named.iter().position(|(from, _)| *from > at));
    // "Adding A to B improved …", "… improved when A was combined with B": what was added to is behind.
    const ADDED: &str =
        "add|adding|addition|added|combin*|integrat*|incorporat*|inclusion|including";
    let added = (0..words.len()).find(|at| {
        let value = words.get(at + 1).is_some_and(|word| word == "value");
        is(&words[*at], ADDED) && !found.contains(at) && !value
    });
    let added_to = added.and_then(|from| {
        let to = words[from..].iter().position(|w| is(w, "to|with|into|in"))?;
        Some(from + to)
    });
    // "The clinical model gained when radiomics was added": what was added is ahead.
    let came = added.filter(|at| {
        added_to.is_none() && *at > found.end && is(&words[at - 1], "is|are|was|were")
    });
    let turn = words[found.end..].iter().position(|word| THAN.contains(&word.as_str()));
    let to = is(&words[found.end - 1], "to|above|of");
    let turn =
        if verb || to { found.end } else { found.end + turn.unwrap_or(words.len()) };
    let (mut better, mut than) = (Vec::new(), Vec::new());
    for (position, (at, model)) in named.into_iter().enumerate() {
        let added_to = added_to
            .is_some_and(|to| at > to && (at < found.start) == (to < found.start));
        let behind =
            at >= turn || (other == Some(position) && at < found.start) || added_to;
        // What is added to is behind in the passive as well.
        let last = match came {
            Some(came) => !(came.saturating_sub(4)..came).contains(&at),
            None => added_to || behind != passive,
        };
        let into = if last { &mut than } else { &mut better };
        if !into.contains(&model) {
            into.push(model);
        }
    }
    let is_first = |phrase: &&str| {
        phrase.split(' ').next().is_some_and(|first| is(&words[found.start], first))
    };
    if WORSE.any_of.iter().any(is_first) {
        std::mem::swap(&mut better, &mut than);
    }
    // A model stands on one side: on that of the other where more than it is ahead.
    if better.iter().any(|model| !than.contains(model)) {
        better.retain(|model| !than.contains(model));
    }
    than.retain(|model| !better.contains(model));
    if better.is_empty()
        && let Some((_, first)) = headline(record)
    {
        let own = model(first);
        if models.contains(&own) && !than.contains(&own) {
            better.push(own);
        }
    }
    Claim { better, than, places: places(record, words) }
}

/// Where models are named, the longer name before those within it.
pub fn named(words: &[String], models: &[String]) -> Vec<(usize, String)> {
    const OTHER: &str = "practice|use|usefulness|utility|trial|trials|decision|decisions|care|routine|setting|settings|application*|implementation|translation|workflow|adoption|management|question*|need*|relevance|importance|significance|impact|end|endpoint*|course|follow|examination|site|sites|centre*|center*";
    let mut found: Vec<(Range<usize>, &String)> = Vec::new();
    for model in models {
        let name = parts(model.strip_suffix("_only").unwrap_or(model));
        let windows = words.windows(name.len().max(1)).enumerate();
        for (at, window) in windows {
            let same = window.iter().zip(&name).all(|(a, b)| stem(a) == stem(b));
            // "Clinical practice" names no model.
            let other = words.get(at + name.len()).is_some_and(|word| is(word, OTHER));
            if !name.is_empty() && same && !other {
                found.push((at..at + name.len(), model));
            }
        }
    }
    let all = found.clone();
    found.retain(|(range, _)| {
        !all.iter().any(|(other, _)| {
            other.len() > range.len()
                && other.start <= range.start
                && other.end >= range.end
        })
    });
    found.sort_by_key(|(range, _)| range.start);
    found.into_iter().map(|(range, model)| (range.start, model.clone())).collect()
}

/// "Radiomic" and "radiomics" are one.
fn stem(word: &str) -> &str {
    match word.strip_suffix('s') {
        Some(stem) if stem.len() > 2 => stem,
        _ => word,
    }
}

/// Whether a difference is told with the p-value that says that it is none, as in "higher (P = 0.41)".
fn by_chance(words: &[String], found: &Range<usize>) -> bool {
    let significant = words.iter().any(|word| is(word, "significan*"));
    let large = words[found.end..]
        .windows(2)
        .any(|pair| pair[0] == "p" && pair[1].parse::<f64>().is_ok_and(|p| p > 0.05));
    large && !significant
}

/// As in "superior to chance".
fn over_chance(after: &[String]) -> bool {
    const CHANCE: [&str; 4] = ["chance", "random", "guessing", "guess"];
    let first = after.first().is_some_and(|word| ["to", "than"].contains(&word.as_str()));
    first && after.iter().skip(1).take(2).any(|word| CHANCE.contains(&word.as_str()))
}

/// The first analysis of the headline's question whose interval is not above chance.
fn below_chance(record: &StudyRecord) -> Option<String> {
    let (_, of) = headline(record)?;
    same_question(record, of).find_map(|(name, analysis)| {
        let lower = analysis.performance.get("auroc")?.lower?;
        (lower <= 0.5).then(|| {
            format!("the interval of the AUROC of {name} begins at {}", plain(lower, 2))
        })
    })
}
