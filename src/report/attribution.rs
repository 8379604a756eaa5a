//! Of whom a sentence tells: of this study, of what others found, of what is supposed, of other instruments.

use std::ops::Range;

use super::denial::{clause, last};
use super::wording::{is, is_one, is_turn, thought};

/// Whether a sentence tells what others found: it names them, or stands where others are spoken of,
/// and says nothing of its own study.
pub fn is_of_others(words: &[String], about_others: bool) -> bool {
    ((about_others || cites(words)) && !ours(words)) || opens_with_earlier(words)
}

/// Whether a sentence supposes or asks for what it says, so that its numbers are nobody's result.
pub fn is_supposed(words: &[String]) -> bool {
    const SUPPOSED: &str = "would|should|assum*|anticipat*|hypothes*|hypothetical*";
    words.iter().enumerate().any(|(at, word)| {
        let next = |n: usize| words.get(at + n).map_or("", String::as_str);
        let value = is(word, "expected|target|minimum|required|desired")
            && is(
                next(1),
                "auc*|auroc*|value|effect|sensitivity|specificity|accuracy|sample",
            );
        // "An AUC above 0.9 is deemed outstanding".
        let rated =
            is(word, "is|are") && is(next(1), "deemed|considered|regarded|rated|taken");
        let needed =
            is(word, "is|are|was|were|be") && is(next(1), "needed|required|necessary");
        let power = is(word, "power") && is(next(1), "to|analysis|calculation|of");
        let calculated = word == "sample"
            && next(1) == "size"
            && is(next(3), "calculat*|estimat*|based");
        is(word, SUPPOSED) || rated || value || needed || power || calculated
    }) || is_target(words)
        || words
            .windows(2)
            .any(|pair| is(&pair[0], "we|were") && is(&pair[1], "simulate*"))
}

/// As in "a sensitivity of 0.90 was chosen as the clinical target".
fn is_target(words: &[String]) -> bool {
    let goal = |word: &String| is(word, "target|goal|requirement|minimum|benchmark");
    words
        .iter()
        .enumerate()
        .any(|(at, word)| word == "as" && words[at + 1..].iter().take(3).any(goal))
}

/// Whether a sentence is about a test, a reader or a contour, so that its numbers are no results of a model.
pub fn is_of_instruments(words: &[String]) -> bool {
    const OTHER: &str = "assay*|antibod*|immunohisto*|sequencing|pcr|fish|elisa|biopsy|reader*|rater*|radiologist*|observer*|segmentation*|contour*|dice|questionnaire*|pathologist*|detector*|software|registration";
    const MODELS: &str = "model*|radiomic*|signature*|nomogram*|classifier*|auc*|auroc*";
    words.iter().any(|word| is(word, OTHER)) && !words.iter().any(|word| is(word, MODELS))
}

/// The same of what stands at one place of a sentence: another thought of it may be of the study itself, as
/// in "they validated their signature, whereas we did not" and "unlike theirs, the model was validated".
pub fn told_of_others(
    words: &[String],
    found: &Range<usize>,
    about_others: bool,
) -> bool {
    let thought = thought(words, found);
    let alone = thought.len() < words.len();
    if is_told_by(clause(&words[found.end..])) {
        return true;
    }
    // "Studies in which it was superior".
    let in_which = words[..found.start].windows(3).enumerate().any(|(at, three)| {
        is(&three[0], "studies|trials|papers|articles|reports|series|cohorts")
            && three[1] == "in"
            && three[2] == "which"
            && !words[..at].iter().any(|word| is(word, "our|these|both"))
    });
    if in_which {
        return true;
    }
    // "…, who reported superiority".
    let near = last(&words[..found.start], 5);
    let who = near.iter().position(|word| word == "who");
    if who.is_some_and(|at| near[at..].iter().any(|word| is(word, SAYING))) {
        return true;
    }
    // "They reported that, although it is small, …": what is told goes on behind.
    let told = words[..found.start].iter().any(|word| word == "that");
    if alone && cites(thought) && !ours(thought) {
        return true;
    }
    // "The model was validated, while earlier ones were not".
    let first = !words[..found.start].iter().any(|word| is_turn(word));
    if alone && first && !cites(thought) && !about_others {
        return false;
    }
    const OPENING: &str = "although|though|while|whereas|unlike|despite";
    let contrast = words.get(1).is_some_and(|word| is(word, "contrast|opposition"));
    let opens = words.first().is_some_and(|word| is(word, OPENING)) || contrast;
    if alone && opens && !told && !cites(thought) && !about_others {
        return false;
    }
    is_of_others(words, about_others)
}

const SAYING: &str =
    "claim*|conclude*|report*|found|show*|suggest*|argue*|describe*|demonstrat*";

/// As in "the superiority reported by Kim et al.", "… as described in the literature".
fn is_told_by(clause: &[String]) -> bool {
    const TOLD: &str = "reported|described|claimed|published|postulated|advocated|proposed|suggested|shown|observed|found";
    clause.windows(3).any(|three| {
        is(&three[0], TOLD) && three[1] == "by" && !is(&three[2], "us|our|this|the|these")
    })
}

/// As in "an earlier study of our group found", "in our previous work": of the same authors, and of other data.
fn opens_with_earlier(words: &[String]) -> bool {
    const WORK: &str =
        "study|studies|work|report|paper|publication|analysis|model|models|signature";
    if words.iter().any(|word| is(word, "present|current|new|now|this|here")) {
        return false;
    }
    let opening = &words[..words.len().min(6)];
    opening.windows(2).any(|pair| is(&pair[0], "earlier|previous|prior") && is(&pair[1], WORK))
        && words.iter().take(12).any(|word| {
            is(word, "found|showed|reported|demonstrated|suggested|described|developed|validated|we|had|has|reached|achieved|was|were")
        })
}

/// Whether other work is named.
fn cites(words: &[String]) -> bool {
    const THEIRS: &str =
        "others|literature|colleagues|reviewers|coworkers|workers|collaborators";
    // Texts that are told of by what they say: "a recent meta-analysis concluded that".
    const SOURCES: &str = "groups|teams|experts|proponents|review|reviews|analysis|analyses|survey*|guideline*|consortium|investigators|authors|report|reports";
    const SAY: &str = "claim*|conclude*|report*|found|find*|call|called|calls|show*|suggest*|state*|recommend*|argue*|describe*|validated";
    const NEWER: &str = "recent|meta|systematic|pooled|original|landmark|large";
    const OLDER: &str = "previous|earlier|prior|published|other|existing";
    const WORK: &str = "stud*|work*|report*|auc*|auroc*|value*|result*|accurac*|estimate*|model*|paper*|author*|research*|group*|publication*|comparison*|evidence|series|nomogram*|signature*";
    // Some of these may be this study's own groups and models.
    const SOME: &str = "several|many|some|numerous|most|few|various|recent";
    const TEXTS: &str = "studies|reports|papers|publications|authors|researchers|investigators|work|works";
    const TOLD: &str = "reported|shown|described|demonstrated|suggested|published|touted|claimed|believed|thought|hailed|argued|postulated|speculated|assumed|advocated|proposed|considered|promoted|said";
    // "Superior to earlier models" is said of this study's own.
    const THAN: &str =
        "to|than|over|with|against|outperform*|surpass*|exceed*|beat|beats|unlike|versus";
    let any = |of: &str| words.iter().any(|word| is(word, of));
    let named = words.iter().enumerate().any(|(at, word)| {
        let word_at = |at: usize| words.get(at).map_or("", String::as_str);
        let article =
            at > 0 && is(&words[at - 1], "the|those|all|most|many|previously|recently");
        let compared =
            at > usize::from(article) && is(&words[at - 1 - usize::from(article)], THAN);
        // "This contrasts with earlier work in which it was superior".
        let compared = compared
            && !words[at..]
                .iter()
                .take(4)
                .any(|word| is(word, "which|where|showing|reporting"));
        // "Published radiomics models".
        let work = |of: &str| is(word_at(at + 1), of) || is(word_at(at + 2), of);
        let older = is(word, OLDER) && is(word_at(at + 1), WORK)
            || is(word, "published|previous|prior") && work(WORK);
        (word == "et" && word_at(at + 1) == "al")
            || (older && !compared)
            || (is(word, SOME) && work(TEXTS))
    });
    // "As reported previously"; a previously published model is one that it may be held against.
    let told_before = words.windows(3).any(|three| {
        let before = "previously|elsewhere|before|repeatedly|widely";
        (is(&three[1], TOLD) && is(&three[2], before))
            || (is(&three[0], "been|was|were")
                && is(&three[1], before)
                && is(&three[2], TOLD))
    });
    // "It has been shown that", "radiomics has been reported to".
    let told = words.windows(3).enumerate().any(|(at, three)| {
        let known =
            is(&three[0], "has|have") && three[1] == "been" && is(&three[2], TOLD);
        known && !words[..at].iter().any(|word| is_one(word, &["the|these|its"]))
    });
    // "A recent meta-analysis concluded", "the authors of the original signature validated".
    let source = words.iter().position(|word| is(word, SOURCES)).filter(|at| *at < 5);
    let source = source.is_some_and(|at| {
        let behind = &words[at + 1..words.len().min(at + 8)];
        let older =
            is(&words[at], "experts|proponents|investigators|authors|guideline*|consortium|review|reviews");
        (older || words[..at].iter().any(|word| is(word, NEWER) || is(word, SOME)))
            && behind.iter().any(|word| is(word, SAY))
    });
    // "Multicentre trials have shown".
    let shown = words.windows(3).enumerate().any(|(at, three)| {
        let own = words[..at].iter().any(|word| is(word, "our|these|both|the|all"));
        is(&three[0], "trials|studies|reports|series|papers|analyses")
            && is(&three[1], "have|repeatedly|consistently")
            && is(
                &three[2],
                "shown|found|reported|demonstrated|suggested|repeatedly|consistently",
            )
            && !own
    });
    // "They found that …".
    let they =
        words.windows(2).any(|pair| is(&pair[0], "they|he|she") && is(&pair[1], SAY));
    let pooled = words.windows(2).any(|pair| {
        pair[0] == "meta" && is(&pair[1], "analys*")
            || pair[0] == "pooled" && is(&pair[1], "auc*|auroc*|sensitivity|estimate*")
    });
    named || they || told_before || told || source || shown || pooled || any(THEIRS)
}

/// Whether a sentence speaks of its own study.
pub fn ours(words: &[String]) -> bool {
    const WORK: &str = "study|work|paper|article|cohort|analysis|report|model|signature|sample|population|series|trial|investigation|approach|dataset|setting|data|radiomics|nomogram|classifier|first|is";
    words.iter().enumerate().any(|(at, word)| {
        // "This contrasts with earlier work" speaks of the other.
        let of = words.get(at + 1).is_some_and(|next| is(next, WORK));
        // "At variance with ours" is of theirs.
        let set_against =
            word == "ours" && at > 0 && is(&words[at - 1], "with|unlike|from|like");
        is(word, "our|ours|we|present|here") && !set_against || word == "this" && of
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::wording::words;

    #[test]
    fn what_others_found_is_not_ours() {
        let others = |text: &str, there| is_of_others(&words(text), there);
        for text in [
            "Smith et al. reported that it outperformed others.",
            "Earlier models were validated.",
            "Several studies have shown that radiomics is superior.",
            "Multicentre trials have shown a benefit.",
            "In a meta-analysis the pooled AUC was 0.91.",
            "Our earlier model had an AUC of 0.88.",
            "Few published radiomics models were externally validated.",
            "Its superiority has been reported previously.",
            "It has been shown that radiomics generalises.",
            "Previous studies found it superior to earlier models.",
        ] {
            assert!(others(text, false), "{text}");
        }
        for text in [
            "Unlike Smith et al., our model was validated.",
            "The model was validated.",
            "Radiomics outperformed previously published models.",
            "The signature was superior to the existing models.",
            "The signature has been shown to generalise.",
            "In several groups radiomics was superior.",
        ] {
            assert!(!others(text, false), "{text}");
        }
        assert!(others("Radiomics is superior to reading.", true));
    }

    #[test]
    fn one_thought_of_a_sentence_may_be_of_others() {
        let others = |text: &str| {
            let words = words(text);
            let at = words.iter().position(|word| word == "claim").unwrap();
            told_of_others(&words, &(at..at + 1), false)
        };
        for text in [
            "Zhou et al. found it claim, whereas we did not.",
            "This contrasts with earlier work in which it was claim.",
            "They found that it is claim.",
            "This is at odds with the claim reported by Kim et al.",
            "Unlike Choi et al., who reported claim, we found none.",
            "We searched for studies in which it was claim.",
            "A recent meta-analysis concluded that it is claim.",
            "It has been argued that radiomics is claim.",
        ] {
            assert!(others(text), "{text}");
        }
        for text in [
            "Although Zhou et al. found otherwise, the model was claim.",
            "In contrast to Zhou et al., the model was claim.",
            "It was claim, while earlier models were not.",
        ] {
            assert!(!others(text), "{text}");
        }
    }

    #[test]
    fn what_is_supposed_is_no_result() {
        for text in [
            "An AUC of 0.80 or more would be needed.",
            "The sample size was calculated for an expected AUC of 0.85.",
            "An AUC above 0.9 is considered outstanding.",
        ] {
            assert!(is_supposed(&words(text)), "{text}");
        }
        for text in ["As expected, the AUC was 0.91.", "The AUC was 0.91 in 60 patients."]
        {
            assert!(!is_supposed(&words(text)), "{text}");
        }
    }
}
