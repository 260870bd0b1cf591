//! Models are run here, and nowhere else: by an installed TensorFlow, loaded at run time, in a process of its own.
//!
//! Who wants a model run makes a [`Job`] (`job`), finds a TensorFlow (`find`) and hands both to [`run`] (`child`), which
//! starts this program once more. There `work` does the job through TensorFlow's C API (`library`, with the `unsafe`
//! that calls of C are) and leaves the results as a checkpoint. Whatever becomes of that process, a crash, a signal, a
//! time-out, is one error here; nothing of TensorFlow is ever loaded into the process that a user started.

mod child;
mod find;
mod job;
mod library;
mod work;

pub(crate) use child::{Limits, run};
pub(crate) use find::{Found, find};
pub(crate) use job::{Answer, Feed, Job, Model, RESULTS, Restore};
pub(crate) use work::{HIDDEN, main};
