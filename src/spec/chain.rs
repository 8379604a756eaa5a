//! Steps in order and the grids over them.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{Named, Use};
use crate::diagnostics::Span;
use crate::digest::canonical_json;
use crate::operation::{AnyTableStep, Instance};

/// Steps in order, with every setting of their grids.
#[derive(Clone)]
pub struct Chain {
    /// As in node names: `anova`, or `variance+anova`; `all` for an empty selector.
    pub name: String,
    pub span: Span,
    /// In written order, the last parameter fastest. Never empty.
    pub settings: Vec<ChainSetting>,
}

/// A chain at one point of its grid.
#[derive(Clone)]
pub struct ChainSetting {
    pub steps: Vec<Use>,
    /// The grid point in words, such as `k = 8`; empty when there is no grid.
    pub text: String,
}

impl ChainSetting {
    /// The identities of its steps.
    pub fn identity(&self) -> Json {
        self.steps.iter().map(Use::identity).collect()
    }
}

/// Which settings of a chain are fitted alike.
pub struct FitPaths {
    /// The path of each setting.
    pub of_setting: Vec<usize>,
    /// One setting of each path.
    pub setting_of: Vec<usize>,
    /// What names each path's states: identities of its steps.
    pub identities: serde_json::Value,
}

/// What names the state of a step among all that are fitted on the same rows: the steps behind which it
/// stands, with all of their parameters, and what its own fit reads.
pub fn state_name(behind: &[Json], fitted: &Use) -> String {
    canonical_json(&json!([behind, fitted.identity_for_fit()]))
}

impl Chain {
    /// Every setting, each as its steps' identities.
    pub fn identity(&self) -> Json {
        self.settings.iter().map(ChainSetting::identity).collect::<Vec<Json>>().into()
    }

    /// What each of its settings does: two chains that share one of these try the same twice.
    pub fn applied(&self) -> BTreeSet<String> {
        let step = |used: &Use| json!([used.about.name, used.applied()]);
        let setting = |setting: &ChainSetting| -> String {
            canonical_json(&setting.steps.iter().map(step).collect::<Json>())
        };
        self.settings.iter().map(setting).collect()
    }

    /// This chain, then that one: every setting of one with every setting of the other.
    pub fn then(&self, next: &Self) -> Self {
        let mut settings = Vec::new();
        for first in &self.settings {
            for second in &next.settings {
                let steps = first.steps.iter().chain(&second.steps).cloned().collect();
                let texts = [first.text.as_str(), second.text.as_str()];
                let text = texts.iter().filter(|text| !text.is_empty());
                let text = text.copied().collect::<Vec<_>>().join(", ");
                settings.push(ChainSetting { steps, text });
            }
        }
        let name = match (self.is_empty(), next.is_empty()) {
            (false, false) => format!("{}+{}", self.name, next.name),
            (true, false) => next.name.clone(),
            _ => self.name.clone(),
        };
        Self { name, span: self.span, settings }
    }

    /// A chain without steps.
    pub fn nothing(name: &str, span: Span) -> Self {
        let settings = vec![ChainSetting { steps: Vec::new(), text: String::new() }];
        Self { name: name.to_string(), span, settings }
    }

    /// Of its longest setting.
    pub fn n_steps(&self) -> usize {
        self.settings.iter().map(|setting| setting.steps.len()).max().unwrap_or(0)
    }

    /// Whether no setting has a step: `all` selects nothing.
    pub fn is_empty(&self) -> bool {
        self.settings.iter().all(|setting| setting.steps.is_empty())
    }

    /// The same steps on the columns of these blocks alone.
    pub fn on(&self, blocks: &[String]) -> Self {
        let mut chain = self.clone();
        for step in chain.settings.iter_mut().flat_map(|setting| &mut setting.steps) {
            step.scope = Some(blocks.to_vec());
        }
        chain
    }

    /// What of it acts on the columns of these blocks, where there are no others.
    pub fn for_blocks(&self, blocks: &[String]) -> Self {
        let mut settings: Vec<ChainSetting> = Vec::new();
        let mut seen: Vec<Json> = Vec::new();
        for setting in &self.settings {
            let steps = setting.steps.iter().filter_map(|step| {
                let mut step = step.clone();
                if let Some(scope) = &mut step.scope {
                    scope.retain(|block| blocks.contains(block));
                }
                (step.scope.as_ref() != Some(&Vec::new())).then_some(step)
            });
            let steps: Vec<Use> = steps.collect();
            let identity = steps.iter().map(Use::identity).collect();
            // Settings that differed in a step that acts elsewhere are one.
            if !seen.contains(&identity) {
                seen.push(identity);
                settings.push(ChainSetting { steps, text: setting.text.clone() });
            }
        }
        if let ([only], true) = (settings.as_mut_slice(), self.settings.len() > 1) {
            only.text.clear();
        }
        Self { name: self.name.clone(), span: self.span, settings }
    }

    /// Whether any of its steps is this operation.
    pub fn holds(&self, operation: &str) -> bool {
        let mut steps = self.settings.iter().flat_map(|setting| &setting.steps);
        steps.any(|step| step.about.name == operation)
    }

    /// The columns of the cohort that its steps want beside the rows, each at the step that names it
    /// first.
    pub fn columns(&self) -> Vec<Named> {
        let mut columns: Vec<Named> = Vec::new();
        for (used, step) in self.table_steps() {
            for name in step.columns() {
                if !columns.iter().any(|known| known.name == name) {
                    columns.push(Named { name, span: used.span });
                }
            }
        }
        columns
    }

    /// Whether a step looks at held-out rows together: see
    /// [`crate::operation::TableStep::transductive`].
    pub fn transductive(&self) -> bool {
        self.table_steps().any(|(_, step)| step.transductive())
    }

    /// Its fitted steps, setting by setting.
    pub fn table_steps(&self) -> impl Iterator<Item = (&Use, &Arc<dyn AnyTableStep>)> {
        let steps = self.settings.iter().flat_map(|setting| &setting.steps);
        steps.filter_map(|used| match &used.instance {
            Instance::TableStep(step) => Some((used, step)),
            _ => None,
        })
    }

    /// The step that is fitted for a step of a setting: another setting's, where the steps before are
    /// the same and its state serves both.
    pub fn fitted(&self, setting: usize, position: usize) -> &Use {
        let own = &self.settings[setting].steps[position];
        let Some(serving) = own.identity_for_serving() else { return own };
        let before = |setting: &ChainSetting| -> Json {
            setting.steps.iter().take(position).map(Use::identity).collect()
        };
        let here = before(&self.settings[setting]);
        let alike = self.settings.iter().filter(|setting| before(setting) == here);
        let mut steps = alike.filter_map(|setting| setting.steps.get(position));
        steps.find(|step| step.identity_for_fit() == serving).unwrap_or(own)
    }

    /// What names the state of each step of a setting among all that are fitted on the same rows.
    pub fn states(&self, setting: usize) -> Vec<String> {
        let mut behind = Vec::new();
        let steps = self.settings[setting].steps.iter().enumerate();
        let names = steps.map(|(position, step)| {
            let name = state_name(&behind, self.fitted(setting, position));
            behind.push(step.identity());
            name
        });
        names.collect()
    }

    /// The same of all settings together: chains that share one of them fit a step alike.
    pub fn all_states(&self) -> BTreeSet<String> {
        (0..self.settings.len()).flat_map(|setting| self.states(setting)).collect()
    }

    /// The distinct ways of fitting this chain, in written order.
    ///
    /// The last step's state serves every value of the parameters that its `fit` does not read, and
    /// settings that need less of it; earlier steps change the rows that later ones are fitted on, so
    /// all of theirs count.
    pub fn fit_paths(&self) -> FitPaths {
        let mut paths: Vec<serde_json::Value> = Vec::new();
        let mut of_setting = Vec::new();
        let mut setting_of = Vec::new();
        for (position, setting) in self.settings.iter().enumerate() {
            let last = setting.steps.len().saturating_sub(1);
            let identities =
                setting.steps.iter().enumerate().map(|(i, step)| match i == last {
                    true => self.fitted(position, i).identity_for_fit(),
                    false => step.identity(),
                });
            let path = identities.collect::<serde_json::Value>();
            let known = paths.iter().position(|known| *known == path);
            of_setting.push(known.unwrap_or(paths.len()));
            if known.is_none() {
                paths.push(path);
                setting_of.push(position);
            }
        }
        FitPaths { of_setting, setting_of, identities: paths.into() }
    }
}
