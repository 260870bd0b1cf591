//! The versions of a served model in one table: which one Serving takes, whether it would load, what it costs.
//!
//! Serving's default policy is `latest { num_versions: 1 }` (`file_system_storage_path_source.proto`): the highest number,
//! whole or not; if it fails to load, no other is tried instead.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::analysis::finding::{Code, Finding, Severity};
use crate::analysis::validate::validate_version;
use crate::base::error::Result;
use crate::base::limits::Limits;
use crate::read::finder::serving::{Version, ram_estimate, size_of, versions};
use crate::read::storage;

/// How many versions are looked into, the highest first.
const LOOKED_INTO: usize = 50;

/// A directory that Serving watches.
#[derive(Debug)]
pub struct Serving {
    /// The directory.
    pub path: PathBuf,
    /// Its versions, the highest first.
    pub versions: Vec<ServedVersion>,
    /// How many lower ones were not looked into.
    pub left_out: usize,
}

/// One version.
#[derive(Debug)]
pub struct ServedVersion {
    /// Its number, name and kind.
    pub version: Version,
    /// Whether Serving takes it by default.
    pub served: bool,
    /// When its directory was last changed.
    pub modified: Option<SystemTime>,
    /// Bytes of all files in it.
    pub bytes: u64,
    /// Whether all of them could be counted.
    pub counted: bool,
    /// What Serving reserves for it.
    pub ram: u64,
    /// Whether it would load, as far as can be told without reading the data.
    pub loads: bool,
    /// What is wrong with it.
    pub findings: Vec<Finding>,
}

impl Serving {
    /// Looks at the versions of a directory, without reading their data.
    ///
    /// # Errors
    /// If the directory cannot be listed.
    pub fn of(base: &Path, limits: &Limits) -> Result<Self> {
        let mut found = versions(base)?;
        let left_out = found.len().saturating_sub(LOOKED_INTO);
        found.truncate(LOOKED_INTO);
        let look = |(at, version): (usize, Version)| {
            let (bytes, counted) = size_of(&version.path);
            let mut findings = if version.shadowed {
                let message = "another name of this number is taken".to_owned();
                vec![Finding::new(Code::DuplicateVersion, message).in_file(&version.path)]
            } else {
                validate_version(base, &version, limits).findings
            };
            findings.retain(|finding| finding.severity != Severity::Note);
            // Wrong variables load without a word, and so do lost ones.
            let loads = [Code::FingerprintMismatch, Code::MissingVariables];
            let stops = |f: &Finding| f.severity == Severity::Error && !loads.contains(&f.code);
            ServedVersion {
                served: at == 0,
                modified: storage::stat(&version.path).ok().and_then(|stat| stat.modified),
                ram: ram_estimate(bytes),
                loads: !version.shadowed && !findings.iter().any(stops),
                version,
                bytes,
                counted,
                findings,
            }
        };
        let versions = found.into_iter().enumerate().map(look).collect();
        Ok(Self { path: base.to_path_buf(), versions, left_out })
    }
}
