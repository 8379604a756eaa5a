//! The fewest training rows on which an operation can be fitted with its parameters.

use std::collections::BTreeMap;

use super::Failure;
use crate::data::Train;

/// What an operation asks of its training rows, whatever their values are. Where it is not met, the fit
/// fails; so `check` can tell before anything runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Need {
    pub of: Counted,
    pub least: usize,
    /// The parameter whose value `least` is, if it is that of one.
    pub parameter: Option<&'static str>,
}

/// What is counted among training rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counted {
    Rows,
    Patients,
    /// In the smaller class.
    RowsOfEachClass,
    /// In the smaller class; a patient with any positive row is positive.
    PatientsOfEachClass,
}

impl Need {
    /// Fails where training rows do not meet it.
    pub fn check(self, train: &Train) -> Result<(), Failure> {
        let found = self.of.among(train.outcome(), train.groups());
        match (found >= self.least, self.of) {
            (true, _) => Ok(()),
            (false, Counted::RowsOfEachClass | Counted::PatientsOfEachClass)
                if found == 0 =>
            {
                Err(Failure::OneClass)
            }
            (false, Counted::RowsOfEachClass) => {
                Err(Failure::TooFewOfAClass { needed: self.least, found })
            }
            (false, _) => Err(Failure::TooFew { needed: self.least, found }),
        }
    }
}

impl Counted {
    /// How many there are among rows of these classes and groups.
    pub fn among(self, positive: &[bool], groups: &[u32]) -> usize {
        let smaller = |classes: &mut dyn Iterator<Item = bool>| {
            let (mut n, mut of_positive) = (0, 0);
            for class in classes {
                n += 1;
                of_positive += usize::from(class);
            }
            of_positive.min(n - of_positive)
        };
        let patients = || {
            let mut patients: BTreeMap<u32, bool> = BTreeMap::new();
            for (group, positive) in groups.iter().zip(positive) {
                *patients.entry(*group).or_default() |= positive;
            }
            patients
        };
        match self {
            Self::Rows => positive.len(),
            Self::Patients => patients().len(),
            Self::RowsOfEachClass => smaller(&mut positive.iter().copied()),
            Self::PatientsOfEachClass => smaller(&mut patients().into_values()),
        }
    }

    /// As in "needs 5 …".
    pub fn words(self) -> &'static str {
        match self {
            Self::Rows => "training rows",
            Self::Patients => "patients in training",
            Self::RowsOfEachClass => "training rows of each class",
            Self::PatientsOfEachClass => "patients of each class in training",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_and_patients_are_counted_by_class() {
        let positive = [true, false, false, false, true];
        let groups = [4, 4, 7, 9, 2];
        let among = |of: Counted| of.among(&positive, &groups);
        assert_eq!(among(Counted::Rows), 5);
        assert_eq!(among(Counted::Patients), 4);
        assert_eq!(among(Counted::RowsOfEachClass), 2);
        assert_eq!(among(Counted::PatientsOfEachClass), 2);
        assert_eq!(Counted::RowsOfEachClass.among(&[true; 3], &[0, 1, 2]), 0);
    }
}
