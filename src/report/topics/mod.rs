//! What concerns every command: paths, selectors, formats, exit statuses. `ckpt help TOPIC` shows a topic in the
//! terminal, and `docs/reference.md` is all of them, word for word; a test compares the two.
//!
//! Topics are written in Markdown, in `pages/`, as far as `text` shows it: a title, paragraphs, tables and code.
//! Links lead from `docs/`.

mod blocks;
mod text;

pub use text::write_topic;

/// Something that concerns every command.
#[derive(Clone, Copy, Debug)]
pub struct Topic {
    /// What is written behind `ckpt help`.
    pub name: &'static str,
    /// What it is about, in a line.
    pub about: &'static str,
    page: &'static str,
}

/// All of them, in the order of the reference.
pub const TOPICS: &[Topic] = &[
    Topic { name: "paths", about: "What may stand for a checkpoint", page: include_str!("pages/paths.md") },
    Topic { name: "selectors", about: "How tensors are chosen", page: include_str!("pages/selectors.md") },
    Topic { name: "formats", about: "How answers are written: --format", page: include_str!("pages/formats.md") },
    Topic {
        name: "exit-statuses",
        about: "What 0, 1 and 2 mean, of each command",
        page: include_str!("pages/exit-statuses.md"),
    },
];

impl Topic {
    /// The topic of this name. One for many is understood too.
    pub fn named(name: &str) -> Option<&'static Self> {
        let is = |topic: &&Self| {
            topic.name == name || topic.name.strip_suffix("es").or(topic.name.strip_suffix('s')) == Some(name)
        };
        TOPICS.iter().find(is).or_else(|| TOPICS.iter().find(|topic| topic.name.strip_suffix('s') == Some(name)))
    }

    /// The topic in Markdown, with its title; links lead from `docs/`.
    pub fn markdown(&self) -> &'static str {
        self.page
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::report::Format;

    fn reference() -> String {
        let mut out = String::from(
            "# Reference\n\n\
             What concerns every command. Each section is a topic of `ckpt help` too; of its own options a command \
             tells by `--help`.\n\n",
        );
        for topic in TOPICS {
            let _ = writeln!(out, "- [{}](#{}) (`ckpt help {}`)", topic.about, topic.name, topic.name);
        }
        out.push_str(
            "\nThis page is written by the program: change `src/report/topics/pages`, then run \
             `CKPT_UPDATE=1 cargo test --lib reference`.\n",
        );
        for topic in TOPICS {
            let _ = write!(out, "\n#{}", topic.page.replace("\r\n", "\n"));
        }
        out
    }

    #[test]
    fn docs_reference_md_is_these_topics() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference.md");
        if std::env::var_os("CKPT_UPDATE").is_some() {
            std::fs::write(&path, reference()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(text == reference(), "docs/reference.md is old: CKPT_UPDATE=1 cargo test --lib reference");
    }

    #[test]
    fn titles_lead_where_links_say() {
        for topic in TOPICS {
            let title = topic.page.lines().next().unwrap().strip_prefix("# ").unwrap();
            assert_eq!(title.to_lowercase().replace(' ', "-"), topic.name);
            assert_eq!(Topic::named(topic.name).unwrap().name, topic.name);
        }
        let one = ["path", "selector", "format", "exit-status"];
        assert!(one.iter().zip(TOPICS).all(|(one, topic)| Topic::named(one).unwrap().name == topic.name));
        assert!(Topic::named("").is_none() && Topic::named("pat").is_none());
    }

    /// Every format that a command has stands in its row of the table, and no other.
    #[test]
    fn formats_are_those_that_commands_have() {
        use crate::report as r;
        let have = [
            ("inspect", r::INSPECT_FORMATS),
            ("list", r::LIST_FORMATS),
            ("print", r::PRINT_FORMATS),
            ("stats", r::STATS_FORMATS),
            ("diff", r::DIFF_FORMATS),
            ("convert", r::CONVERT_FORMATS),
            ("recover", r::RECOVER_FORMATS),
            ("graph", r::GRAPH_FORMATS),
            ("log", r::TIMELINE_FORMATS),
            ("latest", r::LATEST_FORMATS),
            ("validate", r::VALIDATE_FORMATS),
            ("ops", r::OPS_FORMATS),
            ("explain", r::EXPLAIN_FORMATS),
        ];
        let page = Topic::named("formats").unwrap().page;
        for (command, formats) in have {
            let names: Vec<String> = formats.iter().map(|format| format!("`{}`", format.name())).collect();
            let row = format!("| `{command}` | {} |", names.join(", "));
            assert!(page.contains(&row), "missing: {row}");
        }
        let says = |format: &Format| {
            page.lines().any(|line| {
                line.starts_with('|') && line.split('|').nth(1).unwrap().contains(&format!("`{}`", format.name()))
            })
        };
        assert!(Format::ALL.iter().all(says));
    }
}
