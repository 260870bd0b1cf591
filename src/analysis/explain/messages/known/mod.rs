//! Messages whose meaning does not depend on more than the names in them: a row each, by the program that says them.
//!
//! A mark is the fixed wording; `…` stands for anything on the way from one part of it to the next. A row with a page has
//! the causes and the next steps of that page, behind what it adds itself.

mod disk;
mod files;
mod graph;
mod hdf5;
mod keras;
mod keras_files;
mod keras_program;
mod keras_weights;
mod lite;
mod loading;
mod objects;
mod programs;
mod row;
mod running;
mod saved_model;
mod serving;
mod torch;

pub(super) use row::Row;

/// The rows, by the program that says them.
pub(super) fn groups() -> [(&'static str, &'static [Row]); 16] {
    [
        ("SavedModels", saved_model::ROWS),
        ("TensorFlow: graphs", graph::ROWS),
        ("TensorFlow Serving", serving::ROWS),
        ("Disks and file systems", disk::ROWS),
        ("Keras: files", keras::ROWS),
        ("Keras: weights and layers", keras_weights::ROWS),
        ("Keras: versions of programs", keras_program::ROWS),
        ("Other programs and formats", files::ROWS),
        ("Programs and runs", programs::ROWS),
        ("PyTorch and Transformers", torch::ROWS),
        ("Keras: what was left out or refused", keras_files::ROWS),
        ("TensorFlow: checkpoints and their objects", objects::ROWS),
        ("SavedModels: saving, loading, Hub", loading::ROWS),
        ("TensorFlow Lite", lite::ROWS),
        ("HDF5 and NumPy", hdf5::ROWS),
        ("TensorFlow: names and shapes of a graph that runs", running::ROWS),
    ]
}
