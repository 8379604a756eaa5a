//! Sets of groups, as bits.

/// Some of the groups of a cohort.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Groups(Vec<u64>);

impl Groups {
    /// The groups of these rows; `group_of` is by row.
    pub fn of_rows(rows: &[u32], group_of: &[u32]) -> Self {
        let mut groups = Self::default();
        for &row in rows {
            groups.insert(group_of[row as usize]);
        }
        groups
    }

    /// Adds a group.
    pub fn insert(&mut self, group: u32) {
        let word = group as usize / 64;
        if self.0.len() <= word {
            self.0.resize(word + 1, 0);
        }
        self.0[word] |= 1 << (group % 64);
    }

    /// Adds all groups of `other`.
    pub fn extend(&mut self, other: &Self) {
        if self.0.len() < other.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, other) in self.0.iter_mut().zip(&other.0) {
            *word |= other;
        }
    }

    /// Whether a group is among these.
    pub fn contains(&self, group: u32) -> bool {
        self.0.get(group as usize / 64).is_some_and(|word| word >> (group % 64) & 1 == 1)
    }

    /// Whether every group of `other` is among these.
    pub fn covers(&self, other: &Self) -> bool {
        let here = |word: usize| self.0.get(word).copied().unwrap_or(0);
        other.0.iter().enumerate().all(|(word, other)| other & !here(word) == 0)
    }

    /// The groups in both, ascending.
    pub fn shared(&self, other: &Self) -> Vec<u32> {
        let mut shared = Vec::new();
        for (word, (a, b)) in self.0.iter().zip(&other.0).enumerate() {
            let mut bits = a & b;
            while bits != 0 {
                shared.push(word as u32 * 64 + bits.trailing_zeros());
                bits &= bits - 1;
            }
        }
        shared
    }

    /// How many groups there are.
    pub fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.iter().all(|word| *word == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::Groups;

    #[test]
    fn sets_behave_as_sets() {
        let group_of: Vec<u32> = (0..200).collect();
        let mut a = Groups::of_rows(&[0, 63, 64, 199], &group_of);
        let b = Groups::of_rows(&[1, 64], &group_of);
        assert_eq!((a.len(), b.len()), (4, 2));
        assert_eq!(a.shared(&b), [64]);
        assert!(a.contains(199) && !a.contains(1) && !b.contains(199));
        assert!(a.covers(&a) && !a.covers(&b) && a.covers(&Groups::default()));
        a.extend(&b);
        assert_eq!(a.len(), 5);
        assert!(a.covers(&b) && !b.covers(&a));
        assert!(Groups::default().is_empty() && Groups::default().shared(&a).is_empty());
    }
}
