//! What runs now, in parallel, and what comes from the store?

mod characteristics;
mod compute;
mod describe;
mod dividing;
mod execute;
mod full_model;
mod journal;
mod missingness;
mod models;
mod onnx;
mod open;
mod predict;
mod prevalence;
mod record;
mod suppression;
mod target;

pub use describe::describe;
pub use execute::{Done, How, Options, RunError, Watch, execute};
pub use full_model::full_models;
pub use journal::{Change, Entry, explain, has_results, write};
pub use models::{HandedOver, NotReady, Ready, models};
pub use open::open;
pub use predict::{Predicted, TableFault, Trust, predict};
pub use record::{Found, found, predictions, record, retell};
pub use suppression::{suppressed, suppressed_warnings};
