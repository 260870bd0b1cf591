//! Flags as absl and argparse read them: `--name=value`, `--name value`, `-name`, `--noname`.

use anyhow::{Result, bail};
use ckpt::base::escape::escaped;
use ckpt::base::nearest::nearest;

/// What may follow a flag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Takes {
    /// A value.
    Value,
    /// Nothing, or with `=` whether it is on.
    Switch,
    /// Nothing, or whether it is on: anything but `true` is off.
    SwitchOrValue,
    /// Any number of values.
    Values,
}

/// Flags that were given, in order, and what is none.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    found: Vec<(&'static str, String)>,
    pub(super) rest: Vec<String>,
}

impl Parsed {
    /// The value of a flag; of several the last one.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.found.iter().rev().find(|(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    /// All values of a flag.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.found.iter().filter(move |(found, _)| *found == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn is_on(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }
}

/// Reads the flags out of arguments.
pub(super) fn parse(arguments: &[String], flags: &[(&'static str, Takes)]) -> Result<Parsed> {
    let mut parsed = Parsed::default();
    let mut arguments = arguments.iter().peekable();
    while let Some(argument) = arguments.next() {
        if argument == "--" {
            parsed.rest.extend(arguments.cloned());
            break;
        }
        let Some(text) =
            argument.strip_prefix("--").or_else(|| argument.strip_prefix('-')).filter(|text| !text.is_empty())
        else {
            parsed.rest.push(argument.clone());
            continue;
        };
        let (name, given) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let (flag, takes, is_off) = flag(name, flags)?;
        let is_value = |next: &&&String| !next.starts_with('-') || next.parse::<f64>().is_ok();
        let mut push = |value: &str| parsed.found.push((flag, value.to_owned()));
        match (takes, given) {
            (Takes::Switch | Takes::SwitchOrValue, None) if is_off => push("false"),
            (_, Some(_)) if is_off => bail!("--{name} takes no value"),
            (Takes::Switch, None) => push("true"),
            (Takes::Switch, Some(value)) => match value.to_ascii_lowercase().as_str() {
                "true" | "t" | "1" => push("true"),
                "false" | "f" | "0" => push("false"),
                _ => bail!("--{flag}={}: neither true nor false", escaped(value.as_bytes())),
            },
            (Takes::SwitchOrValue, given) => {
                let value = given.or_else(|| arguments.next_if(|next| is_value(&next)).map(String::as_str));
                push(if value.is_none_or(|value| value.eq_ignore_ascii_case("true")) { "true" } else { "false" });
            }
            (Takes::Value | Takes::Values, Some(value)) => push(value),
            (Takes::Value, None) => match arguments.next() {
                Some(value) => push(value),
                None => bail!("--{flag} wants a value"),
            },
            (Takes::Values, None) => {
                while let Some(value) = arguments.next_if(|next| is_value(&next)) {
                    push(value);
                }
            }
        }
    }
    Ok(parsed)
}

/// The flag of a name, of a beginning that only one has, or of `no` and a switch's name.
fn flag(name: &str, flags: &[(&'static str, Takes)]) -> Result<(&'static str, Takes, bool)> {
    let exact = |name: &str| flags.iter().find(|(flag, _)| *flag == name).copied();
    if let Some((flag, takes)) = exact(name) {
        return Ok((flag, takes, false));
    }
    let switched = name.strip_prefix("no").and_then(exact);
    if let Some((flag, takes)) = switched.filter(|(_, takes)| matches!(takes, Takes::Switch | Takes::SwitchOrValue)) {
        return Ok((flag, takes, true));
    }
    let mut begin = flags.iter().filter(|(flag, _)| flag.starts_with(name));
    if let (Some((flag, takes)), None) = (begin.next(), begin.next()) {
        return Ok((flag, *takes, false));
    }
    let near = nearest(name.as_bytes(), flags.iter().map(|(flag, _)| flag.as_bytes()), 2);
    let near: Vec<String> = near.into_iter().map(|flag| format!("--{}", escaped(flag))).collect();
    let name = escaped(name.as_bytes());
    if near.is_empty() {
        bail!("no flag --{name}")
    }
    bail!("no flag --{name}; did you mean {}?", near.join(" or "))
}

#[cfg(test)]
mod tests {
    use super::*;

    const FLAGS: &[(&str, Takes)] = &[
        ("file_name", Takes::Value),
        ("all_tensors", Takes::SwitchOrValue),
        ("all_tensor_names", Takes::SwitchOrValue),
        ("all", Takes::Switch),
        ("printoptions", Takes::Values),
    ];

    fn of(line: &str) -> Result<Parsed> {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        parse(&words, FLAGS)
    }

    #[test]
    fn flags_in_all_their_forms() {
        for line in [
            "--file_name=x",
            "--file_name x",
            "-file_name x",
            "-file_name=x",
            "--file x",
            "--file_name=y --file_name=x",
        ] {
            assert_eq!(of(line).unwrap().value("file_name"), Some("x"), "{line}");
        }
        for (line, on) in [
            ("--all_tensors", true),
            ("--all_tensors true", true),
            ("--all_tensors=TRUE --file_name=x", true),
            ("--all_tensors 1", false),
            ("--noall_tensors", false),
            ("--all_tensors --noall_tensors", false),
        ] {
            assert_eq!(of(line).unwrap().is_on("all_tensors"), on, "{line}");
        }
        assert!(of("--all=t").unwrap().is_on("all") && !of("--noall").unwrap().is_on("all"));
        let many = of("--printoptions a=1 b=-2 --all show").unwrap();
        assert_eq!(many.values("printoptions").collect::<Vec<_>>(), ["a=1", "b=-2"]);
        assert_eq!(many.rest, ["show"]);
        assert_eq!(of("-- --all").unwrap().rest, ["--all"]);
        for line in ["--nothing", "--all_tensor_nmes", "--file_name", "--all=maybe", "--nofile_name", "--noall=1"] {
            assert!(of(line).is_err(), "{line}");
        }
    }
}
