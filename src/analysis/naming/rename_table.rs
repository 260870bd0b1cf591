//! Names one by one, as `ckpt diff --emit map` writes them: a JSON object of old names with their new ones.

use std::collections::BTreeMap;

use super::roles::short_name;
use crate::base::error::{Error, ErrorKind, Result};

const HELP: &str = "a JSON object of names of A with those of B, as ckpt diff A B --match values --emit map writes it";

/// New names by the old ones, with and without the end that keys of objects have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RenameTable(BTreeMap<Vec<u8>, Vec<u8>>);

impl RenameTable {
    /// Reads what `--emit map` wrote.
    ///
    /// # Errors
    /// If it is not such an object.
    pub fn parse(text: &str) -> Result<Self> {
        let bad = |why: String| Error::new(ErrorKind::Request(format!("not a map of names: {why}"))).with_help(HELP);
        let names: BTreeMap<String, serde_json::Value> =
            serde_json::from_str(text).map_err(|error| bad(error.to_string()))?;
        let mut table = BTreeMap::new();
        for (old, new) in names {
            let serde_json::Value::String(new) = new else {
                return Err(bad(format!("what {old:?} is to be called is no text")));
            };
            table.insert(old.into_bytes(), new.into_bytes());
        }
        Ok(Self(table))
    }

    /// The new name of a tensor. A key of an object may stand there without its end, and is found by either.
    pub fn get(&self, name: &[u8]) -> Option<&[u8]> {
        let found = self.0.get(name).or_else(|| self.0.get(short_name(name)));
        // The key of a name that is shown without its end.
        let with_end = || (short_name(name).len() == name.len()).then(|| self.0.get(&[name, END].concat())).flatten();
        found.or_else(with_end).map(Vec::as_slice)
    }

    /// Whether it has no names.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// What keys of variables of objects end in.
const END: &[u8] = b"/.ATTRIBUTES/VARIABLE_VALUE";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_of_objects_are_found_with_and_without_their_end() {
        let table = RenameTable::parse(r#"{"a/.ATTRIBUTES/VARIABLE_VALUE":"x","b":"y"}"#).unwrap();
        assert_eq!(table.get(b"a"), Some(&b"x"[..]));
        assert_eq!(table.get(b"a/.ATTRIBUTES/VARIABLE_VALUE"), Some(&b"x"[..]));
        assert_eq!(table.get(b"b/.ATTRIBUTES/VARIABLE_VALUE"), Some(&b"y"[..]));
        assert_eq!(table.get(b"c"), None);
        assert!(RenameTable::parse("{}").unwrap().is_empty());
        for bad in ["", "[]", r#"{"a":1}"#, "{\"a\":"] {
            assert!(RenameTable::parse(bad).unwrap_err().help().is_some(), "{bad}");
        }
    }
}
