//! Exact Shapley values of trees, path-dependent.

use super::flat::{At, Trees};

/// The expectation of a sum of trees, and what each column adds to it for a row.
///
/// What a tree says when only some columns are known is its expectation over the rows that it was
/// described by: at a split of an unknown column both sides, in proportion to those rows
/// (`covers`). Source: lundberg2020, algorithm 2.
///
/// Shape: `covers` one per node, `row` p; gives p values. They and the base add up to what
/// the trees say of the row.
pub fn shapley(trees: &Trees, covers: &[f64], row: &[f64]) -> (f64, Vec<f64>) {
    let mut values = vec![0.0; row.len()];
    let mut base = 0.0;
    for root in trees.roots() {
        base += expected(trees, covers, root);
        let mut walk = Walk { trees, covers, row, values: &mut values };
        walk.down(root, Vec::new(), (1.0, 1.0, None));
    }
    (base, values)
}

/// How many rows pass each node. Shape: `rows` n × `p`, row-major.
pub fn covers(trees: &Trees, rows: &[f64], p: usize) -> Vec<f64> {
    let mut covers = vec![0.0; trees.n_nodes()];
    for root in trees.roots() {
        for row in rows.chunks_exact(p) {
            let mut node = root;
            covers[node] += 1.0;
            while let At::Split { column, cut, left, right } = trees.node(node) {
                node = if row[column] <= cut { left } else { right };
                covers[node] += 1.0;
            }
        }
    }
    covers
}

fn expected(trees: &Trees, covers: &[f64], node: usize) -> f64 {
    match trees.node(node) {
        At::Leaf(value) => value,
        At::Split { left, right, .. } => {
            let share = |child: usize| covers[child] / covers[node];
            share(left) * expected(trees, covers, left)
                + share(right) * expected(trees, covers, right)
        }
    }
}

/// A column on the way to a node.
#[derive(Clone, Copy)]
struct Step {
    column: Option<usize>,
    /// The share of rows that come this way when the column is unknown.
    unknown: f64,
    /// 1 where the row comes this way, else 0.
    known: f64,
    /// The weight of subsets of the way with as many columns as the place of this one.
    weight: f64,
}

struct Walk<'a> {
    trees: &'a Trees,
    covers: &'a [f64],
    row: &'a [f64],
    values: &'a mut [f64],
}

impl Walk<'_> {
    fn down(
        &mut self,
        node: usize,
        mut way: Vec<Step>,
        (unknown, known, column): (f64, f64, Option<usize>),
    ) {
        extend(&mut way, unknown, known, column);
        match self.trees.node(node) {
            At::Leaf(value) => {
                for at in 1..way.len() {
                    let weight = unwound_sum(&way, at);
                    let step = way[at];
                    if let Some(column) = step.column {
                        self.values[column] +=
                            weight * (step.known - step.unknown) * value;
                    }
                }
            }
            At::Split { column, cut, left, right } => {
                let goes_left = self.row[column] <= cut;
                let (hot, cold) = if goes_left { (left, right) } else { (right, left) };
                let (mut before, mut is_known) = (1.0, 1.0);
                if let Some(at) = way.iter().position(|step| step.column == Some(column))
                {
                    (before, is_known) = (way[at].unknown, way[at].known);
                    unwind(&mut way, at);
                }
                let share = |child: usize| self.covers[child] / self.covers[node];
                let (of_hot, of_cold) = (share(hot) * before, share(cold) * before);
                self.down(hot, way.clone(), (of_hot, is_known, Some(column)));
                self.down(cold, way, (of_cold, 0.0, Some(column)));
            }
        }
    }
}

fn extend(way: &mut Vec<Step>, unknown: f64, known: f64, column: Option<usize>) {
    let depth = way.len();
    let weight = if depth == 0 { 1.0 } else { 0.0 };
    way.push(Step { column, unknown, known, weight });
    let n = (depth + 1) as f64;
    for at in (0..depth).rev() {
        let of = way[at].weight;
        way[at + 1].weight += known * of * (at + 1) as f64 / n;
        way[at].weight = unknown * of * (depth - at) as f64 / n;
    }
}

fn unwind(way: &mut Vec<Step>, of: usize) {
    let depth = way.len() - 1;
    let Step { unknown, known, .. } = way[of];
    let n = (depth + 1) as f64;
    let mut next = way[depth].weight;
    for at in (0..depth).rev() {
        if known != 0.0 {
            let before = way[at].weight;
            way[at].weight = next * n / ((at + 1) as f64 * known);
            next = before - way[at].weight * unknown * (depth - at) as f64 / n;
        } else {
            way[at].weight = way[at].weight * n / (unknown * (depth - at) as f64);
        }
    }
    for at in of..depth {
        let Step { column, unknown, known, .. } = way[at + 1];
        way[at] = Step { column, unknown, known, weight: way[at].weight };
    }
    way.pop();
}

fn unwound_sum(way: &[Step], of: usize) -> f64 {
    let depth = way.len() - 1;
    let Step { unknown, known, .. } = way[of];
    let n = (depth + 1) as f64;
    let mut next = way[depth].weight;
    let mut total = 0.0;
    for at in (0..depth).rev() {
        if known != 0.0 {
            let weight = next * n / ((at + 1) as f64 * known);
            total += weight;
            next = way[at].weight - weight * unknown * (depth - at) as f64 / n;
        } else if unknown != 0.0 {
            total += way[at].weight * n / (unknown * (depth - at) as f64);
        }
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By the definition: the mean over all orders of what a column adds.
    fn by_definition(trees: &Trees, covers: &[f64], row: &[f64]) -> Vec<f64> {
        fn says(
            trees: &Trees,
            covers: &[f64],
            row: &[f64],
            known: u32,
            node: usize,
        ) -> f64 {
            match trees.node(node) {
                At::Leaf(value) => value,
                At::Split { column, cut, left, right } if known & (1 << column) != 0 => {
                    let next = if row[column] <= cut { left } else { right };
                    says(trees, covers, row, known, next)
                }
                At::Split { left, right, .. } => {
                    let of = |child: usize| {
                        covers[child] / covers[node]
                            * says(trees, covers, row, known, child)
                    };
                    of(left) + of(right)
                }
            }
        }
        let p = row.len();
        let all = |known: u32| -> f64 {
            trees.roots().map(|root| says(trees, covers, row, known, root)).sum()
        };
        let factorial = |n: usize| (1..=n).map(|i| i as f64).product::<f64>();
        let value = |column: usize| {
            let mut sum = 0.0;
            for known in (0..1u32 << p).filter(|known| known & (1 << column) == 0) {
                let size = known.count_ones() as usize;
                let weight = factorial(size) * factorial(p - size - 1) / factorial(p);
                sum += weight * (all(known | 1 << column) - all(known));
            }
            sum
        };
        (0..p).map(value).collect()
    }

    #[test]
    fn values_are_those_of_the_definition_and_add_up() {
        let mut trees = Trees::default();
        trees.begin();
        let root = trees.split(0, 0.0);
        let left = trees.split(1, 0.5);
        trees.leaf(1.0);
        trees.right(left);
        let again = trees.split(0, -1.0);
        trees.leaf(-2.0);
        trees.right(again);
        trees.leaf(3.0);
        trees.right(root);
        let right = trees.split(2, 0.2);
        trees.leaf(0.5);
        trees.right(right);
        trees.leaf(7.0);
        trees.begin();
        trees.leaf(0.25);
        let grid = [-1.5, -0.5, 0.1, 0.9];
        let mut rows = Vec::new();
        for (i, a) in grid.iter().enumerate() {
            for (j, b) in grid.iter().enumerate() {
                rows.extend([*a, *b, grid[(i * 3 + j) % 4], 4.0]);
            }
        }
        let covers = covers(&trees, &rows, 4);
        for row in rows.chunks_exact(4) {
            let (base, values) = shapley(&trees, &covers, row);
            let wanted = by_definition(&trees, &covers, row);
            for (value, wanted) in values.iter().zip(&wanted) {
                assert!((value - wanted).abs() < 1e-12, "{values:?} {wanted:?}");
            }
            let mut said = [0.0];
            trees.add_to(row, 4, &mut said);
            assert!((base + values.iter().sum::<f64>() - said[0]).abs() < 1e-12);
            assert_eq!(values[3], 0.0);
        }
    }
}
