//! Columns brought to one location and scale over scanners or sites, by ComBat.

use std::collections::BTreeMap;

use super::ranking::constant;
use crate::math::{mean, sqrt, variance};
use crate::operation::prelude::*;

/// Removes what scanners or sites add to location and scale of each column (ComBat).
///
/// Fitted on training rows and applied to held-out rows of the same batches. What covariates explain
/// is kept. Place it after imputing and before scaling. It cannot separate a batch from an outcome
/// that goes with it; the report shows how well the batch is told from the columns before and after.
///
/// # Computation
/// x_ij = α_j + c_iβ_j + √v_j (γ_bj + √δ_bj ε_ij) for row i of batch b and column j, with covariates c.
/// Least squares with one intercept per batch give β and the batch intercepts; α is their mean weighted
/// by rows, v the mean squared residual. On z = (x − α − cβ) / √v, γ̂ and δ̂ are mean and variance
/// (divisor n − 1) of each batch, and the priors come from their moments over columns: γ ~ N(γ̄, τ²),
/// δ ~ Γ⁻¹(λ, θ). γ* and δ* are the conditional posterior means, iterated in turn until no value moves
/// by more than 1e-10. A row becomes (z − γ*) / √δ* · √v + α + cβ. With `mean_only`, δ* = 1 and
/// γ* = (τ²γ̂ + γ̄) / (τ² + 1).
///
/// A covariate whose known training cells are all numbers enters as a number; else it is a category
/// with one indicator per value but the first in order. With `reference`, α and v are those of that
/// batch, whose rows stay as they are. Columns that are constant within a batch stay as they are and
/// take no part in the priors. A batch that was not met in training is dealt with as `unseen` says.
///
/// # State
/// `columns` has α, β and √v (`sd`) of each column, null for those that stay as they are; `batches` has γ*
/// and δ* of each batch, of the other columns in their order, and its number of rows. β is in the order
/// of `covariates`, of a category one number for each value but the first. With `unseen: pooled` a batch
/// that is not there has the means of γ* and δ* weighted by rows.
///
/// # Differences
/// neuroCombat and sva stop at a relative change of 1e-4, without the absolute value of what they
/// divide by, and neuroCombat keeps covariates in single precision: values agree to about 1e-4.
/// neuroHarmonize's `harmonizationApply` gives missing values for unseen batches.
///
/// # Limits
/// Every batch needs two training rows, and there must be two batches and two columns. A covariate
/// that is constant within every batch cannot be told from it and is refused, and so are the outcome,
/// batches that each hold one class, and names of patients. Missing batches and covariates are refused.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(extend("required" = ["batch"]))]
pub struct HarmoniseCombat {
    /// The column that names the batch of a row: scanner, site or protocol.
    pub batch: String,
    /// What a batch means that was not met in training.
    pub unseen: Unseen,
    /// Columns whose effect is kept.
    pub covariates: Vec<String>,
    /// The batch that the others are brought to; their common mean by default.
    pub reference: Option<String>,
    /// Whether location alone is harmonised, and scale left.
    pub mean_only: bool,
}

/// What a batch means that was not met in training.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Unseen {
    /// Nobody said: its rows are refused, and the split fails.
    #[default]
    Refuse,
    /// An average batch: mean γ* and δ* over training batches, weighted by rows.
    Pooled,
    /// The reference batch: its rows stay as they are.
    Reference,
    /// Its own: γ* and δ* from its held-out rows together, never from outcomes. A row is then judged
    /// with others at hand; the certificate says so.
    Transductive,
}

/// What was learned of one column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Fitted {
    alpha: f64,
    beta: Vec<f64>,
    sd: f64,
}

/// Location and scale of one batch in each fitted column, on the standardised scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
struct Batch {
    n: usize,
    gamma: Vec<f64>,
    delta: Vec<f64>,
}

/// A covariate: a number, or a category with its training values in order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
enum Covariate {
    Number,
    Category(Vec<String>),
}

/// What training rows say of columns and batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Combat {
    covariates: Vec<Covariate>,
    /// By column; none where it is left as it is.
    columns: Vec<Option<Fitted>>,
    batches: BTreeMap<String, Batch>,
}

impl Operation for HarmoniseCombat {
    const ABOUT: About = About {
        name: "harmonise_combat",
        title: "Harmonisation by ComBat",
        // 1: first release. 2: failures tell no cell of a column and count no rows. 3: a batch met
        // late whose rows are copies is refused; it became missing values.
        version: 3,
        sources: &["johnson2007", "fortin2018", "pomponio2020", "stein2015"],
        example: "harmonise_combat: { batch: site }",
    };
}

impl TableStep for HarmoniseCombat {
    type State = Combat;

    fn columns(&self) -> Vec<String> {
        let batch = std::iter::once(&self.batch);
        batch.chain(&self.covariates).cloned().collect()
    }

    fn harmonises(&self) -> Option<Harmonising<'_>> {
        Some(Harmonising {
            batch: &self.batch,
            covariates: &self.covariates,
            reference: self.reference.as_deref(),
            refuses_unseen: self.unseen == Unseen::Refuse,
        })
    }

    fn batches(&self, combat: &Combat) -> Vec<String> {
        combat.batches.keys().cloned().collect()
    }

    fn check(&self, problems: &mut Problems) {
        if self.unseen == Unseen::Reference && self.reference.is_none() {
            problems
                .error("`unseen: reference` of `harmonise_combat` needs `reference`")
                .parameter("reference")
                .hint("name the batch that the others are brought to: `reference: NAME`");
        }
        for (position, covariate) in self.covariates.iter().enumerate() {
            let message = if *covariate == self.batch {
                format!("`{covariate}` is batch and covariate of `harmonise_combat`")
            } else if self.covariates[..position].contains(covariate) {
                format!("`harmonise_combat` has the covariate `{covariate}` twice")
            } else {
                continue;
            };
            problems.error(message).parameter("covariates").hint("leave it out there");
        }
    }

    fn check_beside(&self, train: &Rows, held_out: &Rows) -> Result<(), Failure> {
        let members = self.members(train)?;
        self.fit_to_be(&members)?;
        let (covariates, design) = self.design(train, &members)?;
        self.within(&design, &members)?;
        self.coded(held_out, &covariates)?;
        let mut met = self.members(held_out)?.into_iter();
        met.try_for_each(|(batch, rows)| match members.contains_key(batch) {
            true => Ok(()),
            false => self.dealt_with_late(rows.len()),
        })
    }

    fn transductive(&self) -> bool {
        self.unseen == Unseen::Transductive
    }

    fn fit(&self, train: &Train) -> Result<Combat, Failure> {
        let rows = train.rows();
        if let Some(column) = rows.missing() {
            return Err(Failure::Missing(column.to_string()));
        }
        let members = self.members(rows)?;
        self.fit_to_be(&members)?;
        let (covariates, design) = self.design(rows, &members)?;
        let within = self.within(&design, &members)?;
        let reference = self.reference.as_deref();
        let mut columns = Vec::new();
        let mut standardised: Vec<Vec<f64>> = Vec::new();
        for column in rows.columns() {
            let same = |rows: &Vec<usize>| constant(&taken(&column.values, rows));
            if members.values().any(same) {
                columns.push(None);
                continue;
            }
            let (fitted, z) = within.column(&column.values, &members, reference);
            if !(fitted.sd.is_finite() && fitted.sd > 0.0 && fitted.alpha.is_finite()) {
                let what = format!("the spread of `{}`", column.name);
                return Err(Failure::NotFinite(what));
            }
            columns.push(Some(fitted));
            standardised.push(z);
        }
        if standardised.len() < 2 {
            let found = standardised.len();
            return Err(Failure::TooFewColumns { needed: 2, found });
        }
        let mut batches = BTreeMap::new();
        for (name, rows) in &members {
            let batch = match reference == Some(*name) {
                true => Batch {
                    n: rows.len(),
                    gamma: vec![0.0; standardised.len()],
                    delta: vec![1.0; standardised.len()],
                },
                false => {
                    let z = standardised.iter().map(|z| taken(z, rows)).collect();
                    self.batch(z)?
                }
            };
            batches.insert((*name).to_string(), batch);
        }
        Ok(Combat { covariates, columns, batches })
    }

    fn apply(&self, combat: &Combat, rows: &mut Rows) -> Result<(), Failure> {
        if rows.n() == 0 {
            return Ok(());
        }
        let design = self.coded(rows, &combat.covariates)?;
        let members = self.members(rows)?;
        let fitted: Vec<&Fitted> = combat.columns.iter().flatten().collect();
        let mut z: Vec<Vec<f64>> = Vec::with_capacity(fitted.len());
        let of_fitted = rows.columns().iter().zip(&combat.columns);
        for (column, fitted) in of_fitted {
            let Some(fitted) = fitted else { continue };
            let standardise =
                |(x, c): (&f64, &Vec<f64>)| (x - fitted.expected(c)) / fitted.sd;
            z.push(column.values.iter().zip(&design).map(standardise).collect());
        }
        let mut adjusted = z.clone();
        for (name, rows) in &members {
            let found;
            let batch = match combat.batches.get(*name) {
                // Unchanged, not even by rounding.
                Some(_) if self.reference.as_deref() == Some(*name) => continue,
                Some(batch) => batch,
                None => match self.met_late(combat, &z, rows)? {
                    Some(batch) => {
                        found = batch;
                        &found
                    }
                    None => continue,
                },
            };
            for (column, values) in adjusted.iter_mut().enumerate() {
                let (gamma, delta) = (batch.gamma[column], batch.delta[column]);
                for &row in rows {
                    values[row] = (values[row] - gamma) / sqrt(delta);
                }
            }
        }
        let mut at = 0;
        for ((_, values), fitted) in rows.columns_mut().zip(&combat.columns) {
            let Some(fitted) = fitted else { continue };
            for (row, value) in values.iter_mut().enumerate() {
                if adjusted[at][row] != z[at][row] {
                    *value =
                        adjusted[at][row] * fitted.sd + fitted.expected(&design[row]);
                }
            }
            at += 1;
        }
        Ok(())
    }
}

impl HarmoniseCombat {
    /// The rows of each batch.
    fn members<'a>(
        &self,
        rows: &'a Rows,
    ) -> Result<BTreeMap<&'a str, Vec<usize>>, Failure> {
        let mut members: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (row, batch) in known(rows, &self.batch)?.into_iter().enumerate() {
            members.entry(batch).or_default().push(row);
        }
        Ok(members)
    }

    /// Whether these batches can be harmonised at all.
    fn fit_to_be(&self, members: &BTreeMap<&str, Vec<usize>>) -> Result<(), Failure> {
        if members.values().any(|rows| rows.len() < 2) {
            return Err(beside(&self.batch, "a batch has fewer than two training rows"));
        }
        if members.len() < 2 {
            return Err(beside(&self.batch, "the training rows are of one batch"));
        }
        match &self.reference {
            Some(reference) if !members.contains_key(reference.as_str()) => {
                let why = format!("no training row is of the reference `{reference}`");
                Err(beside(&self.batch, &why))
            }
            _ => Ok(()),
        }
    }

    /// The covariates, each row's as numbers.
    fn design(
        &self,
        rows: &Rows,
        members: &BTreeMap<&str, Vec<usize>>,
    ) -> Result<(Vec<Covariate>, Vec<Vec<f64>>), Failure> {
        let mut covariates = Vec::new();
        for name in &self.covariates {
            let cells = known(rows, name)?;
            let numbers = cells.iter().all(|cell| number(cell).is_some());
            covariates.push(match numbers {
                true => Covariate::Number,
                false => {
                    let mut values: Vec<String> =
                        cells.into_iter().map(str::to_string).collect();
                    values.sort_unstable();
                    values.dedup();
                    Covariate::Category(values)
                }
            });
        }
        let design = self.coded(rows, &covariates)?;
        // Beyond this least squares has no rows left for the spread.
        let needed = members.len() + design.first().map_or(0, Vec::len) + 1;
        match rows.n() < needed {
            true => Err(beside(
                &self.covariates.join("`, `"),
                "there are too few training rows for its effects",
            )),
            false => Ok((covariates, design)),
        }
    }

    /// The covariates without the batches, which they must be told from.
    fn within<'a>(
        &self,
        design: &'a [Vec<f64>],
        members: &BTreeMap<&str, Vec<usize>>,
    ) -> Result<Within<'a>, Failure> {
        Within::of(design, members).ok_or_else(|| {
            beside(
                &self.covariates.join("`, `"),
                "does not vary within batches, or repeats another covariate",
            )
        })
    }

    /// The covariates of each row as numbers.
    fn coded(
        &self,
        rows: &Rows,
        covariates: &[Covariate],
    ) -> Result<Vec<Vec<f64>>, Failure> {
        let mut design = vec![Vec::new(); rows.n()];
        for (name, covariate) in self.covariates.iter().zip(covariates) {
            for (cell, coded) in known(rows, name)?.into_iter().zip(&mut design) {
                match covariate {
                    Covariate::Number => coded.push(number(cell).ok_or_else(|| {
                        beside(name, "a row has no number, and training rows have")
                    })?),
                    Covariate::Category(values) => {
                        if !values.iter().any(|value| value == cell) {
                            let why = "a row has a category that no training row has";
                            return Err(beside(name, why));
                        }
                        let is = |value: &String| f64::from(u8::from(value == cell));
                        coded.extend(values.iter().skip(1).map(is));
                    }
                }
            }
        }
        Ok(design)
    }

    /// Location and scale of one batch from its standardised values by column.
    fn batch(&self, z: Vec<Vec<f64>>) -> Result<Batch, Failure> {
        let n = z.first().map_or(0, Vec::len);
        let rows = n as f64;
        let moments =
            |of: &[f64]| (mean(of).unwrap_or(f64::NAN), variance(of).unwrap_or(f64::NAN));
        let gamma_hat: Vec<f64> = z.iter().map(|z| moments(z).0).collect();
        let (gamma_bar, tau) = moments(&gamma_hat);
        if self.mean_only {
            let shrunk = |hat: &f64| (tau * hat + gamma_bar) / (tau + 1.0);
            let gamma = gamma_hat.iter().map(shrunk).collect();
            return Ok(Batch { n, gamma, delta: vec![1.0; z.len()] });
        }
        // Without any spread there is none to divide by, nor a prior that could lend one.
        if z.iter().all(|z| constant(z)) {
            return Err(beside(&self.batch, "the rows of a batch are copies of one"));
        }
        let delta_hat: Vec<f64> = z.iter().map(|z| moments(z).1).collect();
        let (m, s) = moments(&delta_hat);
        let (lambda, theta) = ((2.0 * s + m * m) / s, (m * s + m * m * m) / s);
        let (mut gamma, mut delta) = (Vec::new(), Vec::new());
        for (z, (gamma_hat, delta_hat)) in z.iter().zip(gamma_hat.iter().zip(&delta_hat))
        {
            let (mut g, mut d) = (*gamma_hat, *delta_hat);
            let mut settled = false;
            for _ in 0..MOST_ITERATIONS {
                // Where all columns agree the prior has no spread and is the answer.
                let next_g = match tau == 0.0 {
                    true => gamma_bar,
                    false => (rows * tau * gamma_hat + d * gamma_bar) / (rows * tau + d),
                };
                let squares: f64 =
                    z.iter().map(|value| (value - next_g) * (value - next_g)).sum();
                let next_d = match s == 0.0 {
                    true => m,
                    false => (theta + 0.5 * squares) / (rows / 2.0 + lambda - 1.0),
                };
                settled = (next_g - g).abs() <= 1e-10 && (next_d - d).abs() <= 1e-10 * d;
                (g, d) = (next_g, next_d);
                if settled {
                    break;
                }
            }
            if !settled {
                return Err(Failure::NotConverged(MOST_ITERATIONS));
            }
            gamma.push(g);
            delta.push(d);
        }
        Ok(Batch { n, gamma, delta })
    }

    /// Whether there is an answer for a batch of so many rows that was not met in training.
    fn dealt_with_late(&self, rows: usize) -> Result<(), Failure> {
        let why = match self.unseen {
            Unseen::Refuse => {
                "a batch was not met in training; `unseen:` says what it means then"
            }
            Unseen::Transductive if rows < 2 => {
                "a batch that was not met in training has fewer than two rows"
            }
            _ => return Ok(()),
        };
        Err(beside(&self.batch, why))
    }

    /// Location and scale of a batch that was not met in training; none: it stays as it is.
    fn met_late(
        &self,
        combat: &Combat,
        z: &[Vec<f64>],
        rows: &[usize],
    ) -> Result<Option<Batch>, Failure> {
        self.dealt_with_late(rows.len())?;
        match self.unseen {
            Unseen::Refuse | Unseen::Reference => Ok(None),
            Unseen::Pooled => {
                let all: usize = combat.batches.values().map(|batch| batch.n).sum();
                let mut pooled =
                    Batch { n: 0, gamma: vec![0.0; z.len()], delta: vec![0.0; z.len()] };
                for batch in combat.batches.values() {
                    let share = batch.n as f64 / all as f64;
                    for column in 0..z.len() {
                        pooled.gamma[column] += share * batch.gamma[column];
                        pooled.delta[column] += share * batch.delta[column];
                    }
                }
                Ok(Some(pooled))
            }
            Unseen::Transductive => {
                self.batch(z.iter().map(|z| taken(z, rows)).collect()).map(Some)
            }
        }
    }
}

/// More than the posterior means take, which come nearer by a fixed share each time.
const MOST_ITERATIONS: usize = 10_000;

impl Fitted {
    /// What the column is without batch effects in a row with these covariates.
    fn expected(&self, covariates: &[f64]) -> f64 {
        let effects = self.beta.iter().zip(covariates);
        self.alpha + effects.map(|(beta, c)| beta * c).sum::<f64>()
    }
}

/// Covariates as deviations from their batch means, and the factor of their products.
///
/// Least squares with an intercept per batch is least squares on such deviations (Frisch and Waugh),
/// which needs no large design.
struct Within<'a> {
    design: &'a [Vec<f64>],
    centred: Vec<Vec<f64>>,
    /// Lower triangular, row by row.
    factor: Vec<Vec<f64>>,
}

impl<'a> Within<'a> {
    /// `None` when a covariate is a combination of batches and other covariates.
    fn of(design: &'a [Vec<f64>], members: &BTreeMap<&str, Vec<usize>>) -> Option<Self> {
        let q = design.first().map_or(0, Vec::len);
        let mut centred = design.to_vec();
        let mut factor: Vec<Vec<f64>> = Vec::new();
        for k in 0..q {
            let values: Vec<f64> = design.iter().map(|row| row[k]).collect();
            for (row, value) in in_batches(&values, members).into_iter().enumerate() {
                centred[row][k] = value;
            }
        }
        for i in 0..q {
            let mut row = Vec::new();
            for j in 0..=i {
                let product: f64 = centred.iter().map(|c| c[i] * c[j]).sum();
                let before: f64 = (0..j)
                    .map(|l| row[l] * if i == j { row[l] } else { factor[j][l] })
                    .sum();
                let left = product - before;
                row.push(match i == j {
                    true if left
                        > 1e-12 * design.iter().map(|d| d[i] * d[i]).sum::<f64>() =>
                    {
                        sqrt(left)
                    }
                    true => return None,
                    false => left / factor[j][j],
                });
            }
            factor.push(row);
        }
        Some(Self { design, centred, factor })
    }

    /// One column fitted, and its standardised values.
    fn column(
        &self,
        values: &[f64],
        members: &BTreeMap<&str, Vec<usize>>,
        reference: Option<&str>,
    ) -> (Fitted, Vec<f64>) {
        let centred = in_batches(values, members);
        let q = self.factor.len();
        let mut beta: Vec<f64> = (0..q)
            .map(|k| self.centred.iter().zip(&centred).map(|(c, x)| c[k] * x).sum())
            .collect();
        for i in 0..q {
            let before: f64 = (0..i).map(|j| self.factor[i][j] * beta[j]).sum();
            beta[i] = (beta[i] - before) / self.factor[i][i];
        }
        for i in (0..q).rev() {
            let after: f64 = (i + 1..q).map(|j| self.factor[j][i] * beta[j]).sum();
            beta[i] = (beta[i] - after) / self.factor[i][i];
        }
        let effect = |row: &Vec<f64>| -> f64 {
            row.iter().zip(&beta).map(|(c, beta)| c * beta).sum()
        };
        let effects: Vec<f64> = self.design.iter().map(effect).collect();
        let residual = |(x, c): (&f64, &Vec<f64>)| x - effect(c);
        let residuals: Vec<f64> =
            centred.iter().zip(&self.centred).map(residual).collect();
        let counted = |name: &&str| reference.is_none_or(|reference| reference == *name);
        let (mut alpha, mut squares, mut n) = (0.0, 0.0, 0.0);
        for (_, rows) in members.iter().filter(|(name, _)| counted(name)) {
            for &row in rows {
                alpha += values[row] - effects[row];
                squares += residuals[row] * residuals[row];
                n += 1.0;
            }
        }
        let fitted = Fitted { alpha: alpha / n, beta, sd: sqrt(squares / n) };
        let rows = values.iter().zip(self.design);
        let z = rows.map(|(x, c)| (x - fitted.expected(c)) / fitted.sd).collect();
        (fitted, z)
    }
}

/// Deviations from the means of their batches.
fn in_batches(values: &[f64], members: &BTreeMap<&str, Vec<usize>>) -> Vec<f64> {
    let mut centred = values.to_vec();
    for rows in members.values() {
        let mean = mean(&taken(values, rows)).unwrap_or(0.0);
        rows.iter().for_each(|&row| centred[row] -= mean);
    }
    centred
}

fn taken(values: &[f64], rows: &[usize]) -> Vec<f64> {
    rows.iter().map(|&row| values[row]).collect()
}

fn number(cell: &str) -> Option<f64> {
    cell.trim().parse().ok().filter(|number: &f64| number.is_finite())
}

fn beside(column: &str, why: &str) -> Failure {
    Failure::Beside { column: column.to_string(), why: why.to_string() }
}

/// The cells of a column beside the predictors, none of them missing.
fn known<'a>(rows: &'a Rows, column: &str) -> Result<Vec<&'a str>, Failure> {
    let cells = rows
        .beside(column)
        .ok_or_else(|| beside(column, "it does not stand beside the rows"))?;
    let known: Option<Vec<&str>> = cells.iter().map(Option::as_deref).collect();
    known.ok_or_else(|| beside(column, "rows have no value"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::data::{Frame, FrameColumn};

    /// Three columns of rows from these sites, far apart in location and scale.
    fn rows(sites: &[&str]) -> Rows {
        let mut stream = Stream::new(3, &["combat"]);
        let columns = (0..3).map(|column| FrameColumn {
            name: format!("c{column}").into(),
            values: sites
                .iter()
                .map(|site| match *site {
                    "a" => stream.normal(),
                    "b" => 5.0 + 3.0 * stream.normal(),
                    _ => -40.0 + 10.0 * stream.normal(),
                })
                .collect(),
        });
        let cells = sites.iter().map(|site| Some((*site).to_string())).collect();
        Rows::new(columns.collect(), sites.len())
            .with_beside([("site".to_string(), cells)].into())
    }

    fn train(rows: &Rows) -> Train {
        let n = rows.n();
        let split = Split { train: (0..n as u32).collect(), held_out: vec![] };
        let frame = Frame { rows: rows.clone(), failed: vec![None; n] };
        split.train(&frame, &vec![Some(true); n], &vec![0; n])
    }

    fn step(unseen: Unseen) -> HarmoniseCombat {
        HarmoniseCombat { batch: "site".into(), unseen, ..HarmoniseCombat::default() }
    }

    const SITES: [&str; 20] = [
        "a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "a", "b", "a", "b",
        "a", "a", "b", "b",
    ];

    #[test]
    fn known_batches_come_to_one_place() {
        let rows = rows(&SITES);
        let step = step(Unseen::Refuse);
        let state = step.fit(&train(&rows)).unwrap();
        let mut harmonised = rows.clone();
        step.apply(&state, &mut harmonised).unwrap();
        for (column, after) in rows.columns().iter().zip(harmonised.columns()) {
            let of = |values: &[f64], site: &str| {
                let rows: Vec<usize> =
                    (0..20).filter(|row| SITES[*row] == site).collect();
                let values = taken(values, &rows);
                (mean(&values).unwrap(), sqrt(variance(&values).unwrap()))
            };
            let apart = |values: &[f64]| (of(values, "a").0 - of(values, "b").0).abs();
            // Not to 0: the batch means are drawn towards their common mean.
            let (before, left) = (apart(&column.values), apart(&after.values));
            assert!(before > 2.0 && left < before / 4.0, "{before} {left}");
            let ratio = |values: &[f64]| of(values, "b").1 / of(values, "a").1;
            let (wide, left) = (ratio(&column.values), ratio(&after.values));
            assert!((0.5..2.0).contains(&left) && left < wide, "{wide} {left}");
        }
    }

    #[test]
    fn a_batch_met_late_is_dealt_with_as_declared() {
        let known = rows(&SITES);
        let late = rows(&["c", "c", "c", "c", "a"]);
        let applied = |step: &HarmoniseCombat| {
            let state = step.fit(&train(&known)).unwrap();
            let mut rows = late.clone();
            step.apply(&state, &mut rows).map(|()| rows)
        };
        let refused = applied(&step(Unseen::Refuse)).unwrap_err().to_string();
        assert!(refused.contains("a batch was not met in training"), "{refused}");
        let reference =
            HarmoniseCombat { reference: Some("a".into()), ..step(Unseen::Reference) };
        assert_eq!(applied(&reference).unwrap(), late);
        // Pooled: the rows keep their order and their distance from the known ones.
        let pooled = applied(&step(Unseen::Pooled)).unwrap();
        assert!(pooled.columns()[0].values[..4].iter().all(|value| *value < -5.0));
        let own = applied(&step(Unseen::Transductive)).unwrap();
        let found = mean(&own.columns()[0].values[..4]).unwrap();
        let expected = mean(&known.columns()[0].values).unwrap();
        assert!((found - expected).abs() < 3.0, "{found} {expected}");
        assert_eq!(own.columns()[0].values[4], pooled.columns()[0].values[4]);
        assert!(step(Unseen::Transductive).transductive());
        assert!(!step(Unseen::Pooled).transductive());
    }

    #[test]
    fn copies_of_one_row_are_no_batch_of_their_own() {
        let step = step(Unseen::Transductive);
        let state = step.fit(&train(&rows(&SITES))).unwrap();
        let late = rows(&["c"]).take(&[0, 0, 0]);
        let said = step.apply(&state, &mut late.clone()).unwrap_err().to_string();
        assert!(said.contains("copies of one"), "{said}");
        // Location alone needs no spread.
        let located = HarmoniseCombat { mean_only: true, ..step };
        let state = located.fit(&train(&rows(&SITES))).unwrap();
        let mut moved = late;
        located.apply(&state, &mut moved).unwrap();
        let mut values = moved.columns().iter().flat_map(|column| &column.values);
        assert!(values.all(|value| value.is_finite()));
    }

    #[test]
    fn what_cannot_be_harmonised_is_refused_by_name() {
        let refused = |sites: &[&str], step: &HarmoniseCombat| {
            step.fit(&train(&rows(sites))).unwrap_err().to_string()
        };
        let plain = step(Unseen::Refuse);
        let one = refused(&["a", "a", "b", "a", "c", "c"], &plain);
        assert!(one.contains("a batch has fewer than two training rows"), "{one}");
        assert!(refused(&["a"; 5], &plain).contains("of one batch"));
        let absent = HarmoniseCombat { reference: Some("z".into()), ..plain.clone() };
        assert!(refused(&SITES, &absent).contains("reference `z`"));
        // The site as a covariate of itself cannot be told from it.
        let itself = HarmoniseCombat { covariates: vec!["site".into()], ..plain.clone() };
        assert!(refused(&SITES, &itself).contains("does not vary within batches"));
        let nowhere = HarmoniseCombat { batch: "scanner".into(), ..plain };
        assert!(refused(&SITES, &nowhere).contains("does not stand beside"));
    }

    #[test]
    fn what_the_columns_beside_the_rows_decide_is_known_before_a_fit() {
        let cells = |of: &[&str]| -> Vec<Option<String>> {
            of.iter().map(|c| (!c.is_empty()).then(|| c.to_string())).collect()
        };
        let beside = |sites: &[&str], ages: &[&str]| {
            let columns = [("site", cells(sites)), ("age", cells(ages))];
            Rows::new(Vec::new(), sites.len())
                .with_beside(columns.map(|(name, of)| (name.to_string(), of)).into())
        };
        let sites = ["a", "a", "a", "b", "b", "b"];
        let ages = ["50", "61", "70", "44", "58", "63"];
        let train = beside(&sites, &ages);
        let plain = step(Unseen::Refuse);
        let aged = HarmoniseCombat { covariates: vec!["age".into()], ..plain.clone() };
        let said = |step: &HarmoniseCombat, train: &Rows, held_out: &Rows| {
            let fits = step.check_beside(train, held_out);
            fits.map_or_else(|failure| failure.to_string(), |()| String::new())
        };
        let known = beside(&["b", "a"], &["52", "66"]);
        assert_eq!(said(&plain, &train, &known), "");
        assert_eq!(said(&aged, &train, &known), "");
        let late = beside(&["Solo"], &["52"]);
        for (step, held_out, expected) in [
            (&plain, &late, "not met in training"),
            (&step(Unseen::Transductive), &late, "fewer than two rows"),
            (&step(Unseen::Pooled), &late, ""),
            (&plain, &beside(&[""], &["52"]), "rows have no value"),
            (&aged, &beside(&["a"], &["old"]), "a row has no number"),
        ] {
            let said = said(step, &train, held_out);
            assert!(said.contains(expected) && said.is_empty() == expected.is_empty());
            assert!(!said.contains("Solo") && !said.contains("old"), "{said}");
        }
        let alone = beside(&["a", "a", "Solo"], &["1", "2", "3"]);
        let said_of_one = said(&plain, &alone, &known);
        assert!(said_of_one.contains("fewer than two training rows"), "{said_of_one}");
        let constant = beside(&sites, &["50"; 6]);
        assert!(said(&aged, &constant, &known).contains("does not vary"));
    }

    #[test]
    fn parameters_that_contradict_each_other_are_named() {
        let problems = |step: &HarmoniseCombat| {
            let mut problems = Problems::default();
            step.check(&mut problems);
            problems.into_vec()
        };
        assert!(problems(&step(Unseen::Refuse)).is_empty());
        let found = problems(&step(Unseen::Reference));
        assert_eq!(found[0].parameter, Some("reference"));
        let covariates = ["site", "age", "age"].map(String::from).to_vec();
        let twice = HarmoniseCombat { covariates, ..step(Unseen::Refuse) };
        let found = problems(&twice);
        assert!(found[0].message.contains("batch and covariate"), "{found:?}");
        assert!(found[1].message.contains("`age` twice"), "{found:?}");
    }

    #[test]
    fn copies_and_constant_columns_are_no_trap() {
        let mut rows = rows(&SITES);
        let copy = rows.columns()[0].clone();
        let constant = FrameColumn { name: "k".into(), values: vec![7.0; 20] };
        let again = FrameColumn { name: "copy".into(), values: copy.values.clone() };
        rows.set_columns(vec![copy, Arc::new(constant), Arc::new(again)]);
        let step = step(Unseen::Refuse);
        let state = step.fit(&train(&rows)).unwrap();
        let mut harmonised = rows.clone();
        step.apply(&state, &mut harmonised).unwrap();
        assert_eq!(harmonised.columns()[1].values, [7.0; 20]);
        assert_eq!(harmonised.columns()[0].values, harmonised.columns()[2].values);
        assert!(harmonised.columns()[0].values.iter().all(|value| value.is_finite()));
    }
}
