//! What every floor stands on: errors, limits, and the small things that know no format.

pub mod error;
pub mod escape;
pub mod fault;
pub mod limits;
pub mod nearest;
pub mod parallel;
pub mod progress;
