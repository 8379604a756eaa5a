//! Trees: how one is grown, forests of them, and how they are stored.

mod boost;
mod codes;
mod flat;
mod forest;
mod grow;
mod ordered;
mod samples;
mod shap;

pub use boost::{Booster, Boosting, Order, Run, Training};
pub use codes::Codes;
pub use flat::{At, Trees};
pub use forest::{Features, Redraw, Top, Unseen, add_permuted, grow_forest, normalised};
pub use grow::{Cuts, Grower, Growth, Impurity, Node, SplitAt};
pub use samples::Samples;
pub use shap::{covers, shapley};
