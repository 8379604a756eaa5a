//! Whether a sentence means what stands in it: not where it denies it, leaves it for later, only asks for it
//! or takes it back. Of whom it tells is asked of `attribution`.

use std::ops::Range;

use super::attribution::ours;
use super::wording::{GAP, is, is_turn, thought};

/// What a model may be said to be in the end: "was shown", "could not be demonstrated".
const SHOWN: &str = "shown|demonstrated|found|seen|observed|established|proven|proved|confirmed|reached|achieved|evident|significant|claimed|concluded|inferred";

/// What is urged was not done.
const URGED: &str = "recommend|recommends|recommended|advocate|advocates|encourage|encourages|urge|urges|advise|advises";

/// Where this is denied, what is lost thereby is not.
const LOSS: &str = "loss*|drop*|decrease*|decline*|deteriorat*|degrad*|differ|change*";

/// Whether what stands there is denied, is still to be done, or is what was asked.
pub fn denied(words: &[String], found: &Range<usize>) -> bool {
    // As in "predicted risks agreed poorly with observed ones".
    const FAINT: &str = "poor|poorly|bad|badly|little|barely|scarcely|weak*";
    let within = &words[found.clone()];
    denies(within)
        || within.iter().any(|word| is(word, FAINT))
        || denied_around(words, found)
}

/// The same by the words around it alone.
pub fn denied_around(words: &[String], found: &Range<usize>) -> bool {
    let (before, after) = (&words[..found.start], &words[found.end..]);
    let thought =
        &before[before.iter().rposition(|word| is_turn(word)).map_or(0, |at| at + 1)..];
    let near = last(thought, 4);
    // Further away a denial reaches as far as the thought does.
    let reach = last(thought, 9);
    // "It should be used, as it is superior" gives a reason.
    // "A robust and reliable model" is one thing, whose "and" begins no other.
    const QUALITIES: &str =
        "robust|reliable|valid|validated|accurate|well|generali*|transferable|superior";
    let quality = is(&words[found.start], QUALITIES);
    let joined = reach.iter().enumerate().rposition(|(at, word)| {
        let next = reach.get(at + 1).map_or("", String::as_str);
        let of_qualities = quality
            && at + 1 == reach.len()
            && at.checked_sub(1).is_some_and(|at| is(&reach[at], QUALITIES));
        word == "and" && !of_qualities
            || word == "as" && is(next, "it|they|this|these|our")
    });
    let joined = joined.map_or(0, |at| at + 1);
    let reach = &reach[joined..];
    // "The aim was to develop and externally validate" aims at both.
    const BARE: &str = "validate|evaluate|test|outperform|generalise|generalize|predict";
    let bare = words[found.clone()].iter().any(|word| is(word, BARE));
    let aims = if bare { last(thought, 12) } else { reach };
    // "Had it been superior, …" tells what was not.
    let unreal = words.first().is_some_and(|word| word == "had")
        && words.iter().any(|word| word == "been");
    // "Anything but well calibrated", where "but" is no turn.
    // "Could not match" is said by its "not".
    let within_denial = is(&words[found.start], "not|no|never|cannot");
    let anything_but =
        last(before, 3).windows(2).any(|pair| pair[0] == "anything" && pair[1] == "but");
    // What opens with "no" denies all of its clause: "no model in this review had been tested …".
    let and = thought.iter().rposition(|word| word == "and").map_or(0, |at| at + 1);
    let subject = &thought[and..];
    let none = subject.first().is_some_and(|word| is(word, "no|none|neither|nobody|few"))
        && denies(&subject[..subject.len().min(4)]);
    denies(near)
        || none
        || is_for_it(words, found)
        || anything_but
        || last(thought, 1).iter().any(|word| word == "missing")
        || is_set_aside(last(thought, 3))
        || is_asked_after(near)
        || by_little(after)
        || words[0] == "few"
        || is_general(words, found)
        || is_content(words, found)
        || denies(reach)
        || is_faint(near) && !within_denial
        || reach.iter().any(|word| is(word, URGED))
        || is_aim(aims)
        || is_purpose(before)
        || is_asked(before)
        || unreal
        || is_to_come(before)
        || is_condition(words, found)
        || denied_behind(after)
        || not_shown(after)
        || is_wanted(words, found, after)
        || is_told_beside(words, found)
        || is_explained_away(clause(after))
        || is_only_way(words, found)
        || is_only_there(clause(after))
        || is_definition(words, found)
        || is_taken_back(after)
}

/// As in "the gain was within chance", "superior performance merely reflects overfitting".
fn is_explained_away(clause: &[String]) -> bool {
    const BY: &str = "reflect*|stem*|due|explained|attributable|attributed|arise*|within|by|consequence";
    const ELSE: &str =
        "overfit*|optimism|chance|artefact*|artifact*|noise|bias*|confound*|leak*|luck";
    clause.iter().enumerate().any(|(at, word)| {
        let before = last(&clause[..at], 3);
        is(word, ELSE)
            && before.iter().any(|word| is(word, BY))
            && !last(&clause[..at], 6)
                .iter()
                .any(|word| is(word, "not|no|unlikely|cannot"))
    })
}

/// As in "only prospective validation can show whether …".
fn is_only_way(words: &[String], found: &Range<usize>) -> bool {
    let only = last(&words[..found.start], 3).iter().any(|word| word == "only");
    only && words[found.end..].iter().take(6).any(|word| is(word, "can|could|will|would"))
}

/// As in "calibration was good only in the training data".
fn is_only_there(clause: &[String]) -> bool {
    clause.windows(2).any(|pair| {
        is(&pair[0], "only|merely|solely")
            && is(&pair[1], "in|on|within|during|for|after|if|when")
            || is(&pair[0], "only|merely") && pair[1] == "before"
            || is(&pair[0], "in|on|for|at") && is(&pair[1], "neither|no|none")
            || pair[0] == "on" && pair[1] == "average"
    })
}

/// As in "a model was considered superior if the interval lay above zero", "a well-calibrated model has a
/// slope of 1".
fn is_definition(words: &[String], found: &Range<usize>) -> bool {
    const CALLED: &str =
        "considered|defined|deemed|regarded|judged|taken|classed|counted";
    const PRESENT: &str = "has|have|is|are|can|does|gives|means|allows|shows|predicts";
    const TOLD: &str = "presented|reported|described|introduced|proposed|shown|given|now|available|provided|developed|derived|built|identified|found";
    let (before, after) = (&words[..found.start], &words[found.end..]);
    let called = last(before, 4).iter().any(|word| is(word, CALLED));
    let if_so = called && after.iter().take(4).any(|word| is(word, "if|when|whenever"));
    // "A model that outperforms the other is out of reach".
    let relative = before.iter().any(|word| is(word, "that|which"));
    let any = (found.start == 1 || relative) && is(&words[0], "a|an");
    let verb = after.iter().take(6).position(|word| is(word, PRESENT));
    let told =
        verb.is_some_and(|at| after[at..].iter().take(3).any(|word| is(word, TOLD)));
    if_so || any && verb.is_some() && !told
}

/// As in "a test of superiority", "the question of superiority".
fn is_asked_after(near: &[String]) -> bool {
    const QUESTIONS: &str = "test|tests|tested|testing|hypothesis|question|criterion|definition|notion|idea|expectation|hope|chance";
    near.windows(2).any(|pair| is(&pair[0], QUESTIONS) && is(&pair[1], "of|for"))
}

/// As in "higher by a small, non-significant amount".
fn by_little(after: &[String]) -> bool {
    let by = after.first().is_some_and(|word| word == "by");
    by && after
        .iter()
        .take(6)
        .any(|w| is(w, "non|nonsignificant|insignificant|negligible|trivial"))
}

/// As in "equivalence rather than superiority".
fn is_set_aside(near: &[String]) -> bool {
    near.windows(2).any(|pair| {
        pair[0] == "rather" && pair[1] == "than"
            || pair[0] == "instead" && pair[1] == "of"
            || pair[0] == "opposed" && pair[1] == "to"
    })
}

/// What holds as a rule is said of the field and not of this study: "performance in external cohorts is
/// usually lower".
fn is_general(words: &[String], found: &Range<usize>) -> bool {
    const HABIT: &str = "usually|often|commonly|typically|frequently|generally|sometimes|rarely|seldom|widely|routinely|always|traditionally|increasingly";
    const PRESENT: &str = "is|are|can|do|has|have|tend|be";
    const OWN: &str = "our|ours|we|this|these|here|the";
    let thought = thought(words, found);
    let habit = thought.iter().enumerate().any(|(at, word)| {
        let before = at.checked_sub(1).map_or("", |at| thought[at].as_str());
        let next = thought.get(at + 1).map_or("", String::as_str);
        let past = next.ends_with("ed") && !is(before, PRESENT);
        is(word, HABIT) && !past && !is(before, "was|were|more|had")
    });
    habit && !thought.iter().take(1).any(|word| is(word, OWN)) && !ours(thought)
}

/// As in "that it is superior is often assumed": what a sentence opens with by "that" is only said where its
/// own verb shows it.
fn is_content(words: &[String], found: &Range<usize>) -> bool {
    // "Claims that it is superior rest on small cohorts".
    const SAID: &str = "claim|claims|assertion*|statement*|belief*|notion*|idea|assumption*|suggestion*|argument*|view|impression|expectation*|speculation|promise";
    let thought_start = words[..found.start]
        .iter()
        .rposition(|word| is_turn(word))
        .map_or(0, |at| at + 1);
    let told = words[thought_start..found.start]
        .windows(2)
        .any(|pair| is(&pair[0], SAID) && pair[1] == "that");
    if told {
        return true;
    }
    let opens = words.first().is_some_and(|word| word == "that");
    let determiner = words.get(1).is_some_and(|word| {
        is(word, "model|signature|study|cohort|classifier|nomogram|difference")
    });
    const FACT: &str = "clear|evident|certain|obvious|undisputed";
    let shown = words[found.end..].iter().any(|word| is(word, SHOWN) || is(word, FACT));
    opens && !determiner && (!shown || denies(&words[found.end..]))
}

/// The last `n` words.
pub fn last(words: &[String], n: usize) -> &[String] {
    &words[words.len().saturating_sub(n)..]
}

fn denies(words: &[String]) -> bool {
    const DENIALS: &str = "no|not|without|never|neither|nor|none|lack|lacks|lacking|lacked|absence|absent|need|needs|future|cannot|unable|fail|fails|failed|failing|unlikely|unclear|unknown|uncertain|unproven|impossible|require|requires|await|awaits|awaiting|pending|planned|plan|plans|should|must|may|might|will|would|until|unless|nothing|hardly|potential|potentially|insufficient|doubtful|questionable|ideally|prone|liable|willing|reject|rejects|rejected|refute*|dispute*|contradict*|refrain|deserve|deserves|preclude|precludes|precluded";
    // With some a second word denies, as in "little evidence", "far from".
    const LITTLE: &str = "little|scant|limited|weak|inconclusive";
    words.iter().enumerate().any(|(at, word)| {
        let next = words.get(at + 1).map_or("", String::as_str);
        // "Not only", "no doubt" and "no loss of" deny nothing.
        let only = word == "not" && next == "only";
        let doubt = next.starts_with("doubt")
            // "Not surprisingly, it was …".
            || at == 0 && word == "not" && next.ends_with("ly");
        // "The plan" is there; "we plan to" is to come.
        let noun = is(word, "plan|plans")
            && at > 0
            && is(
                &words[at - 1],
                "the|a|this|our|its|analysis|statistical|prespecified|study|protocol",
            );
        let doubt = doubt || noun;
        let little = is(word, LITTLE) && is(next, "evidence|support|indication")
            || word == "next" && is(next, "step|steps|stage|phase|task|goal|project|aim")
            || word == "far" && next == "from"
            || is(word, "argue*|speak*|spoke|evidence|case") && next == "against"
            || word == "against" && next.ends_with("ing")
            || word == "missing" && is(next, "is|was|remains")
            || is(word, "has|have|had") && next == "to"
            || word == "only" && is(next, "appear*|seem*");
        // "It may differ" stays open.
        let lost = is(
            word,
            "no|not|without|never|nor|none|neither|cannot|hardly|unlikely|absence",
        ) && words[at + 1..].iter().take(3).any(|word| is(word, LOSS));
        (is(word, DENIALS) || little) && !only && !doubt && !lost
    })
}

/// As in "numerically higher", "its apparent superiority", "could outperform".
fn is_faint(near: &[String]) -> bool {
    const TREND: &str = "trend|trends|tendency|tended";
    if near.iter().any(|word| is(word, TREND)) {
        return true;
    }
    const FAINT: &str = "numerically|nominally|apparent|apparently|seemingly|supposed|supposedly|claim|claims";
    // "Could be shown to be", "could confirm that" tell of what was done.
    let done = |word: &String| is(word, SHOWN) || is(word, "show|confirm|demonstrate");
    let could = last(near, 3).iter().position(|word| word == "could");
    let could = could.is_some_and(|at| !last(near, 3)[at..].iter().any(done));
    could || last(near, 2).iter().any(|word| is(word, FAINT))
}

/// As in "the aim was to develop a validated model", "larger samples are needed to establish its
/// superiority", "we are collecting data for external validation".
fn is_aim(reach: &[String]) -> bool {
    const AIMS: &str = "aim*|sought|seek*|expected|hope*|wish*|want*|tried|try|strive*|endeavour*|anticipated|intend*|intention*|attempt*|goal*|purpose*|objective*|designed|ready|suited|candidate*|needed|required|necessary|warranted|call*|invite*|encourag*|recommend*|advocat*|urge*|welcom*|plead*|funding|grant|grants|ethics|collecting|recruiting|enrolling|preparing|planning";
    let Some(aim) = reach.iter().rposition(|word| is(word, AIMS)) else { return false };
    let behind = &reach[aim + 1..];
    behind.iter().any(|word| is(word, "to|for|at|before"))
        && !behind.iter().any(|word| is(word, SHOWN) || is(word, "showed|shows"))
}

/// As in "to ensure good calibration, …", "it was done in order to obtain a validated model".
fn is_purpose(before: &[String]) -> bool {
    const REACH: &str = "ensure|achieve|obtain|improve|reach|increase|assess|test|evaluate|establish|verify|guarantee";
    const DONE: &str = "able|shown|found|proved|proven|seen|known";
    let opens = before.first().is_some_and(|word| word == "to");
    let near = last(before, 5);
    let for_it = near.windows(2).enumerate().any(|(at, pair)| {
        let done = at > 0 && is(&near[at - 1], DONE);
        pair[0] == "to" && is(&pair[1], REACH) && !done
    });
    // "For radiomics to become a reliable biomarker, …", "in order to be well calibrated, …".
    let first = |at: usize| before.get(at).map_or("", String::as_str);
    let opens = opens
        || first(0) == "in" && first(1) == "order"
        || first(0) == "for" && before.iter().any(|word| word == "to");
    for_it || opens && !before.iter().any(|word| is_turn(word))
}

/// As in "whether it is superior", "we hypothesised that it is", "if it were".
fn is_asked(before: &[String]) -> bool {
    before.iter().enumerate().any(|(at, word)| {
        let even = at > 0 && is(&before[at - 1], "even|as");
        is(word, "whether|hypothes*|if") && !even
    })
}

/// As in "remains to be validated", "has yet to undergo external validation".
fn is_to_come(before: &[String]) -> bool {
    let near = last(before, 5);
    if near.windows(2).any(|pair| pair[0] == "yet" && pair[1] == "to") {
        return true;
    }
    // "It is too early to call it …", "premature to say that …".
    let turn = before.iter().rposition(|word| is_turn(word)).map_or(0, |at| at + 1);
    let reach = last(&before[turn..], 8);
    let too = reach.iter().position(|word| {
        is(word, "too|premature|wrong|tempting|mistaken|incorrect|misleading|unjustified")
    });
    if too.is_some_and(|at| reach[at..].iter().any(|word| word == "to")) {
        return true;
    }
    // One adverb may stand between, as in "to be externally validated".
    let adverb = before.last().is_some_and(|word| word.ends_with("ly"));
    match &before[..before.len() - usize::from(adverb)] {
        // "We found the model to be …".
        [earlier @ .., to, be] if to == "to" && be == "be" && !earlier.is_empty() => {
            const CALLED: &str = "showed|considered|known|said|allow*|permit*|enabl*";
            !last(earlier, 8).iter().any(|word| is(word, SHOWN) || is(word, CALLED))
        }
        [to, be] => to == "to" && be == "be",
        _ => false,
    }
}

/// As in "after external validation, the model may be used".
fn is_condition(words: &[String], found: &Range<usize>) -> bool {
    const OPENING: &str =
        "with|after|upon|following|pending|given|once|provided|before|until";
    let opens = words.first().is_some_and(|word| is(word, OPENING));
    let trial = |word: &String| is(word, "validat*|evaluat*|test*|confirm*");
    let after = &words[found.end..];
    let main = after.iter().position(|word| is_turn(word)).map(|at| &after[at..]);
    opens
        && words[found.clone()].iter().any(trial)
        && main.is_some_and(|main| {
            let before = is(&words[0], "before|until");
            let open = "could|may|might|would|should";
            let now = "is|are|should|must|can|cannot|remain|remains|need|needs";
            main.iter().any(|word| is(word, open) || before && is(word, now))
        })
}

/// As in "agreements for external validation", "compared for superiority": what a thing is for need not be
/// there; what was used for it was.
fn is_for_it(words: &[String], found: &Range<usize>) -> bool {
    const USED: &str = "used|served|serve|serves|available|employed|reserved|set|kept|held|sufficient|allowed|suitable|well|account*|tested|except|evidence";
    const NOUNS: &str = "validation|superiority|cohort|cohorts|evaluation|outperformance";
    let noun = words[found.clone()].last().is_some_and(|word| is(word, NOUNS));
    let start = words[..found.start]
        .iter()
        .rposition(|word| !is(word, "an|a|the|further|future|independent|such|proper"));
    let at = start.filter(|at| noun && words[*at] == "for");
    at.is_some_and(|at| !last(&words[..at], 6).iter().any(|word| is(word, USED)))
}

/// Whether a claim that is made by its noun alone is made: where something shows it, where it is what comes of
/// it, or where a conclusion rests on it; "superiority is a common claim" makes none.
pub fn is_asserted(words: &[String], found: &Range<usize>) -> bool {
    const SHOW: &str = "show|shows|showed|shown|showing|demonstrat*|confirm*|establish*|prove|proves|proved|proven|reveal*|indicat*|suggest*|support*|underlin*|underscor*|corroborat*|observ*|found|find|finds|document*|conclude*|attest*|report|reported|evidenc*|highlight*|verif*|reached|achieved|had|has|have|with|yield*|exhibit*|display*|mean|means|implies";
    const SO: &str = "given|owing|because|due|thanks|based|considering|despite|of";
    const TRUE: &str = "clear|evident|significant|marked|consistent|maintained|pronounced|substantial|obvious|striking|undisputed|unequivocal|preserved|statistically|highly|most|robust|apparent|seen|due|greatest|largest";
    const LASTS: &str = "persist*|held|holds|remained|extend*|justif*|makes|made|supports|argues|was|were|became|increased";
    let before = &words[found.start.saturating_sub(8)..found.start];
    let shown = |word: &String| is(word, SHOW) || is(word, SO);
    let after = clause(&words[found.end..]);
    let verb = words.iter().any(|word| {
        is(word, "is|are|was|were|be|been|has|have|had|do|does|did")
            || is(word, SHOW)
            || is(word, LASTS)
    });
    before.iter().any(shown)
        || after.iter().any(|word| is(word, SHOWN) || is(word, TRUE) || is(word, LASTS))
        // A heading has no verb.
        || !verb
}

/// As in "external validation of the model was not possible", "… is needed".
fn denied_behind(after: &[String]) -> bool {
    const BETWEEN: &str = "was|were|is|are|has|have|had|been|being|could|can|still|remain|remains|did|does|of|the|this|model|models|study|studies|cohort|cohorts|data|set|sets|trial|trials|now";
    const DENIALS: &str = "under|underway|ongoing|unknown|unclear|next|never|needed|required|warranted|lacking|pending|planned|missing|unavailable|outstanding|necessary|awaited|absent|impossible|desirable|yet";
    let between = |word: &&String| is(word, BETWEEN) || word.ends_with("ly");
    let skipped = after.iter().take(GAP).take_while(between).count();
    let remains = after[..skipped].iter().any(|word| word.starts_with("remain"));
    let Some(next) = after.get(skipped) else { return false };
    let following = after.get(skipped + 1).map_or("", String::as_str);
    let denies = match next.as_str() {
        // "The external validation, not the internal one" denies the other.
        "not" if skipped == 0 => is(following, "done|performed|possible"),
        // What was not left out was done.
        "not" => {
            following != "only"
                && !is(following, LOSS)
                && !is(following, "omitted|neglected|skipped|lacking|missing|absent")
        }
        next => is(next, DENIALS),
    };
    denies || (remains && next == "to")
}

/// The words behind that still belong to one clause.
pub fn clause(after: &[String]) -> &[String] {
    const FAR: usize = 12;
    const ENDS: &str = "that|when|where|after|who|whose|whom|as|so|if|without|despite";
    let end = after.iter().take(FAR).enumerate().position(|(at, word)| {
        // "In adults and in children" goes on.
        let next = after.get(at + 1).map_or("", String::as_str);
        let joins = word == "and" && !is(next, "in|at|of|for|on|with");
        // "Higher than that of the other" goes on as well.
        let points =
            word == "that" && at > 0 && is(&after[at - 1], "than|to|from|with|of");
        joins || is_turn(word) || (is(word, ENDS) && !points)
    });
    &after[..end.unwrap_or(after.len().min(FAR))]
}

/// As in "superiority over the clinical model could not be shown", "external validation in a second
/// hospital was not possible".
fn not_shown(after: &[String]) -> bool {
    const DONE: &str = "possible|performed|done|feasible|available|undertaken|conducted|attempted|carried|obtained";
    const MEANT: &str = "prove|imply|mean|translate|guarantee|necessarily|establish|suffice|make|render|ensure|replace|equal";
    let clause = clause(after);
    clause.iter().enumerate().any(|(at, word)| {
        // "Is not yet available".
        let adverb = |word: &&String| {
            is(word, "yet|so|far") || word.ends_with("ly") && word.as_str() != "only"
        };
        let mut behind = clause[at + 1..].iter().skip_while(adverb);
        let next = behind.next().map_or("", String::as_str);
        let shown = match next {
            "be" | "been" => behind.next().map_or("", String::as_str),
            next => next,
        };
        let predicate =
            shown != next || at > 0 && is(&clause[at - 1], "is|are|was|were|be|been");
        is(word, "not|cannot|never")
            && (is(shown, SHOWN) || is(shown, MEANT) || predicate && is(shown, DONE))
    })
}

/// As in "external validation in other centres is warranted", "good calibration is essential",
/// "well-calibrated probabilities require a larger sample", "its superiority disappeared".
fn is_wanted(words: &[String], found: &Range<usize>, after: &[String]) -> bool {
    const BE: &str = "is|are|was|were|be|been|remain|remains|has|have|had";
    const WILL: &str = "should|must|will|would|cannot|may|might";
    const TRIED: &str = "tested|examined|assessed|evaluated|investigated|studied|explored|compared|defined|considered|measured|quantified|estimated|judged|discussed|debated|attempted";
    const AIMED: &str = "aim*|goal*|objective*|purpose*|target*";
    const WANTED: &str = "few|unproven|unproved|untested|unconfirmed|undetermined|unresolved|unanswered|small|challenge|challenging|difficult|unsolved|elusive|hard|envisaged|intended|foreseen|precluded|prevented|hampered|hindered|prohibited|omitted|excluded|discarded|disregarded|deferred|postponed|waived|needed|required|warranted|lacking|pending|planned|missing|unavailable|necessary|awaited|expected|absent|impossible|ongoing|underway|scarce|rare|negligible|minimal|marginal|limited|trivial|nonsignificant|insignificant|questionable|doubtful|uncertain|unclear|unknown|lost|poor|weak|low|inadequate|insufficient|unsatisfactory|suboptimal|initiated|sought|started|begun|launched|scheduled";
    const VALUED: &str = "essential|crucial|important|mandatory|paramount|imperative|critical|desirable|desired|advisable|recommended|encouraged|invited|welcome*|advocated|urged|prerequisite|key|registered|approved|funded|proposed";
    let clause = clause(after);
    // "Our validated model is important" calls it validated; "a validated model is important" does not.
    let definite = last(&words[..found.start], 2)
        .iter()
        .chain(&words[found.clone()])
        .any(|word| is(word, "the|our|this|these|its"));
    let first =
        clause.iter().position(|word| is(word, BE) || is(word, WILL) || word == "could");
    if let Some(first) = first {
        // "Superiority should be …" is none yet, and "a reliable marker would …" tells of no marker; our
        // validated model that should be used is validated.
        let noun =
            ["ion", "ity", "ment"].iter().any(|end| words[found.end - 1].ends_with(end));
        // "External validation could be performed" was done; "could reveal" was not.
        let open =
            clause[first] == "could" && clause.get(first + 1).is_some_and(|w| w != "be");
        if (noun || !definite) && (is(&clause[first], WILL) || open) {
            return true;
        }
        let skipped = |word: &&String| {
            is(word, BE)
                || is(word, "likely|probably|only|very|rather|quite|too")
                || is(word, "still|now|also|therefore|a|an|of|to|often|not|statistically")
                || word.ends_with("ly")
        };
        let said = clause[first..].iter().find(|word| !skipped(word));
        let next = clause[first..].windows(2).any(|pair| {
            pair[0] == "next" && is(&pair[1], "step|steps")
                || is(&pair[1], "task|priority")
        });
        // "External validation is what this model needs".
        let lacked =
            clause[first..].windows(2).any(|pair| pair[0] == "is" && pair[1] == "what")
                && words[found.end..]
                    .iter()
                    .any(|word| is(word, "need*|lack*|miss*|require*"));
        let aimed = clause[first + 1..].iter().take(3).any(|word| is(word, AIMED));
        // "Remains to be shown", "is now recruiting".
        let to_come = clause[first..]
            .windows(2)
            .any(|pair| is(&pair[0], "remain|remains|remained|yet") && pair[1] == "to");
        let goes_on = is(&clause[first], "is|are") && said.is_some_and(|word| {
            is(
                word,
                "recruiting|enrolling|running|starting|continuing|accruing|forthcoming",
            )
        });
        let far = next
            || aimed
            || to_come
            || goes_on
            || noun && said.is_some_and(|word| is(word, TRIED))
            || lacked
            || said.is_some_and(|word| word == "beyond")
                && clause.iter().any(|word| word == "scope");
        // What was not left out was done.
        const LEFT: &str =
            "omitted|excluded|neglected|skipped|lacking|missing|absent|hampered";
        let at = said.and_then(|said| clause.iter().position(|word| word == said));
        let kept = at
            .is_some_and(|at| at > 0 && clause[at - 1] == "not" && is(&clause[at], LEFT));
        if kept {
            return false;
        }
        if far || said.is_some_and(|w| is(w, WANTED) || (is(w, VALUED) && !definite)) {
            return true;
        }
    }
    clause.iter().take(first.unwrap_or(clause.len())).any(|word| {
        is(word, "disappear*|vanish*|await|awaits")
            || (is(word, "require|requires|need|needs|deserve*|demand|demands|presuppose*|depend|depends")
                && !definite)
    })
}

/// As in "external validation, which was not possible here, is essential": by the words between, or by those
/// behind them.
fn is_told_beside(words: &[String], found: &Range<usize>) -> bool {
    let Some((which, after)) = words[found.end..].split_first() else { return false };
    let end = after.iter().position(|word| is_turn(word)).unwrap_or(after.len());
    let main = after.get(end + 1..).unwrap_or_default();
    which == "which"
        && [&after[..end], main]
            .iter()
            .any(|after| not_shown(after) || is_wanted(words, found, after))
}

/// As in "…, but the difference was not significant", "… without reaching significance".
fn is_taken_back(after: &[String]) -> bool {
    const NOT: &str = "not|without|never|no|nor";
    // Words that speak of the same thing still.
    const SAME: &str = "but|although|though|however|while|and|or|this|that|it|the|these|their|its|in|between|both|of|them|models|auc|aucs|did|does|do|was|were|is|are|has|had|have|a|any|with|observed|absolute|difference*|improvement*|gain*|increase*|advantage*|benefit*|superiority|change*|trend|statistic*";
    let behind = |at: usize| &after[at + 1..after.len().min(at + 5)];
    after.iter().enumerate().any(|(at, word)| {
        let not = is(word, NOT) && behind(at).iter().any(|w| is(w, "significan*"));
        let retracts = not || is(word, "nonsignificant|insignificant");
        let predicate = behind(at).iter().any(|w| is(w, "significant|significance"));
        let turn = after[..at]
            .iter()
            .rposition(|word| is_turn(word) || (predicate && word == "and"));
        let same = match turn {
            Some(turn) => {
                after[turn..at].iter().all(|word| is(word, SAME) || is_turn(word))
            }
            None => word == "without" || is(word, "nonsignificant|insignificant"),
        };
        retracts && same
    }) || includes_zero(after)
}

/// As in "…, but the interval of the difference included zero".
fn includes_zero(after: &[String]) -> bool {
    let interval = after.iter().position(|word| is(word, "interval|intervals|ci"));
    let behind = interval.map_or(&[][..], |at| &after[at..]);
    behind.windows(2).any(|pair| {
        is(&pair[0], "include*|cross*|contain*|span*|overlap*") && is(&pair[1], "zero|0")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::wording::words;

    #[test]
    fn a_claim_is_not_meant_where_the_sentence_takes_it_elsewhere() {
        let meant = |text: &str| {
            let words = words(text);
            let at = words.iter().position(|word| word == "claim").unwrap();
            !denied(&words, &(at..at + 1))
        };
        for text in [
            "Although this was not planned, the model was claim.",
            "Despite the lack of data, it was claim.",
            "The model, which was not tuned, was claim.",
            "It did not hold there but was claim here.",
            "We could confirm that it is claim.",
            "Our claim model is important.",
            "The claim model should be used.",
            "As expected, it was claim.",
            "A claim model of it is presented.",
            "It should be used, as it is claim.",
            "It was claim, while age was not significant.",
            "It was claim in patients whose scans were missing.",
            "After adjustment, it was claim and may help.",
            "Not surprisingly, it was claim.",
            "Radiomics (but not age) was claim.",
            "Radiomics, unlike what was not measured, was claim.",
            "Even without perfusion, it was claim.",
            "No patient was lost, and it was claim.",
            "It was claim, without the need for tissue.",
            "The claim was not omitted.",
        ] {
            assert!(meant(text), "{text}");
        }
        for text in [
            "In no cohort, subgroup or site was it claim.",
            "A likeness rather than a claim was seen.",
            "That it is claim is often assumed.",
            "A model was considered claim if its interval lay above zero.",
            "A claim model has a slope of 1.",
            "The claim merely reflects overfitting.",
            "It was claim only in the training data.",
            "Few models are claim.",
            "The claim validation is what this model needs.",
            "A test of claim was specified.",
            "It is tempting, but wrong, to call it claim.",
            "Although we had expected it to be claim, it failed.",
            "The potential of it to be called claim is large.",
            "It could be claim.",
            "There is little evidence that it is claim.",
            "There is insufficient evidence that it is claim.",
            "Larger samples are needed to establish its claim.",
            "We sought to make it claim.",
            "We are collecting data for claim.",
            "A claim in other centres and in children is warranted.",
            "A claim in larger multicentre cohorts of adults is warranted.",
            "A claim model is essential.",
            "Claim is rare, and a claim is still scarce.",
            "It was numerically claim.",
            "It was claim, but the difference was not significant.",
            "It was claim without reaching statistical significance.",
            "Although it was claim, the improvement did not reach significance.",
            "The claim in another hospital was not possible.",
            "The claim disappeared in nested cross-validation.",
            "No model in this review of many had ever been claim.",
            "Claims that it is claim rest on small cohorts.",
            "We advise against calling it claim.",
            "A claim remains to be shown.",
            "It is claim in neither cohort.",
            "A model that is claim is out of reach.",
            "For it to become claim, more is needed.",
            "A trend towards claim was seen.",
            "We recommend claim validation.",
            "It may differ from claim.",
        ] {
            assert!(!meant(text), "{text}");
        }
    }
}
