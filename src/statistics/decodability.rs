//! How well the site of held-out rows can be told from their columns.

use std::collections::BTreeMap;

use crate::data::Rows;
use crate::math::sqrt;

/// The mean over sites of the AUROC with which a row of the site is told from rows of the others: a
/// nearest-mean rule learned on training rows, judged on held-out rows. 0.5 is chance.
///
/// Columns are standardised by the training rows; those with missing values or without spread are left
/// out. The score of a row for a site is its mean squared distance to the means of the other sites,
/// less that to the mean of this one. Sites count that are in the training rows and in some but not all
/// held-out rows. `None` when there is no such site, or no column.
pub fn decodability(
    train: &Rows,
    of_train: &[&str],
    held_out: &Rows,
    of_held_out: &[&str],
) -> Option<f64> {
    let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, site) in of_train.iter().enumerate() {
        members.entry(site).or_default().push(row);
    }
    if members.len() < 2 {
        return None;
    }
    // By held-out row and site.
    let mut distances = vec![vec![0.0; members.len()]; held_out.n()];
    let mut used = 0;
    for (column, held) in train.columns().iter().zip(held_out.columns()) {
        let n = column.values.len() as f64;
        let mean = column.values.iter().sum::<f64>() / n;
        let squares: f64 = column.values.iter().map(|x| (x - mean) * (x - mean)).sum();
        let sd = sqrt(squares / n);
        let finite = held.values.iter().all(|value| value.is_finite());
        let category = train.categories(&column.name).is_some();
        if !(sd > 0.0 && sd.is_finite() && finite) || category {
            continue;
        }
        used += 1;
        for (site, rows) in members.values().enumerate() {
            let sum: f64 = rows.iter().map(|&row| column.values[row]).sum();
            let centre = sum / rows.len() as f64;
            for (distances, value) in distances.iter_mut().zip(&held.values) {
                let away = (value - centre) / sd;
                distances[site] += away * away;
            }
        }
    }
    if used == 0 {
        return None;
    }
    let others = (members.len() - 1) as f64;
    let areas = members.keys().enumerate().filter_map(|(at, site)| {
        let score = |distances: &Vec<f64>| {
            let all: f64 = distances.iter().sum();
            (all - distances[at]) / others - distances[at]
        };
        let scores: Vec<f64> = distances.iter().map(score).collect();
        area(&scores, of_held_out, site)
    });
    let areas: Vec<f64> = areas.collect();
    crate::math::mean(&areas)
}

/// The share of pairs in which the row of the site has the higher score, ties half.
fn area(scores: &[f64], sites: &[&str], site: &str) -> Option<f64> {
    let (mut pairs, mut higher) = (0.0, 0.0);
    for (own, _) in scores.iter().zip(sites).filter(|(_, of)| **of == site) {
        for (other, _) in scores.iter().zip(sites).filter(|(_, of)| **of != site) {
            pairs += 1.0;
            higher += match own.total_cmp(other) {
                std::cmp::Ordering::Greater => 1.0,
                std::cmp::Ordering::Equal => 0.5,
                std::cmp::Ordering::Less => 0.0,
            };
        }
    }
    (pairs > 0.0).then(|| higher / pairs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::FrameColumn;

    fn rows(values: &[f64]) -> Rows {
        let column = FrameColumn { name: "x".into(), values: values.to_vec() };
        Rows::new(vec![column], values.len())
    }

    #[test]
    fn sites_apart_are_told_and_equal_ones_are_not() {
        let train = ["a", "a", "b", "b"];
        let held = ["a", "b", "b"];
        let found = |train_x: &[f64], held_x: &[f64]| {
            decodability(&rows(train_x), &train, &rows(held_x), &held)
        };
        assert_eq!(found(&[0.0, 1.0, 5.0, 6.0], &[0.5, 4.0, 7.0]), Some(1.0));
        assert_eq!(found(&[0.0, 1.0, 0.0, 1.0], &[0.5, 4.0, 7.0]), Some(0.5));
        assert_eq!(found(&[2.0; 4], &[0.5, 4.0, 7.0]), None);
        let met_late = decodability(
            &rows(&[0.0, 1.0, 5.0, 6.0]),
            &train,
            &rows(&[1.0, 2.0]),
            &["c", "c"],
        );
        assert_eq!(met_late, None);
    }
}
