//! What it takes to run a model: which of its graphs is meant, what goes in and comes out, and whether what a user gives
//! fits, all of it told before anything runs. What runs it is no part of the library.

mod literal;
mod model;
mod names;
mod nodes;
mod number;
mod numeral;
mod plan;
mod port;
mod value;

pub use literal::{looks_like_literal, parse_literal};
pub use model::{Restoring, RunModel};
pub use plan::{RunPlan, RunRequest, plan_run};
pub use port::Port;
pub use value::{Data, Fit, Value};
