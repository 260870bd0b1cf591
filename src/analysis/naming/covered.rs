//! The fewest scopes that say of every weight whether it moved.

use std::collections::BTreeMap;

use super::scopes::{numbered, ranges};

/// Scopes by whether their weights moved.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes {
    /// All weights in them changed.
    pub moved: Vec<String>,
    /// No weight in them changed.
    pub still: Vec<String>,
}

/// How deep scopes are taken apart.
const DEPTH: usize = 16;

impl Scopes {
    /// The fewest scopes that say of every weight whether it moved; alike ones with their numbers in braces.
    pub(in crate::analysis) fn of(weights: &BTreeMap<String, bool>) -> Self {
        let rows: Vec<(&str, bool)> = weights.iter().map(|(name, moved)| (name.as_str(), *moved)).collect();
        let mut scopes = Self::default();
        scopes.cover(&rows, 0, 0);
        scopes.moved = fold(&scopes.moved);
        scopes.still = fold(&scopes.still);
        scopes
    }

    /// Adds those of one group of checkpoints, named where there are several.
    pub(in crate::analysis) fn extend(&mut self, other: Self, group: Option<&str>) {
        let named = |scope: String| group.map_or_else(|| scope.clone(), |group| format!("{group}: {scope}"));
        self.moved.extend(other.moved.into_iter().map(named));
        self.still.extend(other.still.into_iter().map(named));
    }

    /// Adds the scope that the first `prefix` bytes of all rows are, or what is in it.
    fn cover(&mut self, rows: &[(&str, bool)], prefix: usize, depth: usize) {
        let Some((first, moved)) = rows.first() else { return };
        let to = if *moved { &mut self.moved } else { &mut self.still };
        if rows.iter().all(|(_, other)| other == moved) {
            let scope = first.get(..prefix).unwrap_or_default().trim_end_matches('/');
            // One weight is its own name, and all of them need none.
            match (rows.len(), scope) {
                (1, _) => to.push((*first).to_owned()),
                (_, "") if depth == 0 => to.push("everything".to_owned()),
                _ => to.push(scope.to_owned()),
            }
            return;
        }
        let mut groups: BTreeMap<&str, Vec<(&str, bool)>> = BTreeMap::new();
        for (name, moved) in rows {
            let rest = name.get(prefix..).unwrap_or_default();
            let end = match rest.find('/') {
                Some(slash) if depth < DEPTH => prefix.saturating_add(slash).saturating_add(1),
                _ => name.len(),
            };
            groups.entry(name.get(..end).unwrap_or(name)).or_default().push((name, *moved));
        }
        for (scope, rows) in groups {
            self.cover(&rows, scope.len(), depth.saturating_add(1));
        }
    }
}

/// Names that differ in their last number only, as one: `layer_{0..11}/kernel`.
fn fold(names: &[String]) -> Vec<String> {
    let mut groups: BTreeMap<(&str, &str), Vec<u64>> = BTreeMap::new();
    let mut alone = Vec::new();
    for name in names {
        match numbered(name) {
            (before, Some(number), after) => groups.entry((before, after)).or_default().push(number),
            _ => alone.push(name.clone()),
        }
    }
    for ((before, after), mut numbers) in groups {
        numbers.sort_unstable();
        alone.push(match numbers.as_slice() {
            [only] => format!("{before}{only}{after}"),
            many => format!("{before}{{{}}}{after}", ranges(many)),
        });
    }
    alone.sort();
    alone
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scopes(rows: &[(&str, bool)]) -> (Vec<String>, Vec<String>) {
        let scopes = Scopes::of(&rows.iter().map(|(name, moved)| ((*name).to_owned(), *moved)).collect());
        (scopes.moved, scopes.still)
    }

    #[test]
    fn the_fewest_scopes_that_tell_it_exactly() {
        let rows = [
            ("body/layer_0/bias", false),
            ("body/layer_0/kernel", false),
            ("body/layer_1/bias", false),
            ("body/layer_1/kernel", false),
            ("head", true),
            ("head/bias", true),
            ("head/kernel", true),
        ];
        let (moved, still) = scopes(&rows);
        assert_eq!(still, ["body"]);
        assert_eq!(moved, ["head", "head"], "a weight and a scope of one name");
        let mut rows = rows.to_vec();
        rows[1].1 = true;
        let (moved, still) = scopes(&rows);
        assert_eq!(still, ["body/layer_0/bias", "body/layer_1"]);
        assert_eq!(moved[0], "body/layer_0/kernel");
        assert_eq!(scopes(&[("a/x", true), ("b", true)]).0, ["everything"]);
        assert_eq!(scopes(&[("a/x", true)]).0, ["a/x"]);
        assert_eq!(scopes(&[]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn alike_scopes_are_folded() {
        let names: Vec<(String, bool)> = (0..12)
            .flat_map(|n| [(format!("l_{n}/bias"), true), (format!("l_{n}/kernel"), false)])
            .chain([("l_007/bias".to_owned(), true)])
            .collect();
        let (moved, still) = scopes(&names.iter().map(|(name, moved)| (name.as_str(), *moved)).collect::<Vec<_>>());
        assert_eq!(moved, ["l_007/bias", "l_{0..11}/bias"]);
        assert_eq!(still, ["l_{0..11}/kernel"]);
    }

    #[test]
    fn deep_names_end() {
        let deep = "a/".repeat(100_000);
        let (moved, still) = scopes(&[(&format!("{deep}x"), true), (&format!("{deep}y"), false)]);
        assert_eq!((moved.len(), still.len()), (1, 1));
    }
}
