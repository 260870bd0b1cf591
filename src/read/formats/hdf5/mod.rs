//! HDF5: groups of data sets, in the forms that h5py writes, old ones and those of `libver="latest"`.
//!
//! A reader of our own: nothing is taken by a number of the file before the bytes are there, structures that lead back
//! to themselves end, what is damaged hides nothing else, and every error has its place in the file.
//! "HDF5 File Format Specification Version 3.0" is what the section numbers in these files mean.

mod arrays;
mod attribute;
mod checksum;
mod chunks;
mod data_set;
mod datatype;
mod elements;
mod fields;
mod file;
mod filters;
mod fractal_heap;
mod group;
mod heap;
mod layout;
mod object;
mod scaleoffset;
mod sets;
mod superblock;
mod tree1;
mod tree2;
mod walk;

pub(super) use attribute::Attribute;
pub(super) use file::File;
pub(super) use sets::DataSets;
pub(super) use superblock::SIGNATURE;
pub(super) use walk::Contents;

use crate::read::container::{Checksums, Format};

/// What a file is called whose data sets are not those of a Keras model.
pub(super) const HDF5: Format = Format { id: "hdf5", title: "HDF5", checksums: Checksums::Some };
