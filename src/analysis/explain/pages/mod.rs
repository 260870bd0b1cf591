//! The page of each code: what it means, how it is found, what TensorFlow does with it, what leads to it, what to do.
//!
//! `docs/checks.md` is [`pages_markdown`], word for word; a test compares the two.

mod data;
mod index;
mod model;
mod ops;
mod page;
mod policy;
mod restore;
mod serving;
mod training;

pub use page::Page;

use std::fmt::Write as _;

use crate::analysis::Code;

/// The pages of all rooms of findings.
const ALL: [&[Page]; 8] = [
    index::PAGES,
    data::PAGES,
    model::PAGES,
    ops::PAGES,
    policy::PAGES,
    restore::PAGES,
    serving::PAGES,
    training::PAGES,
];

/// The page of a code.
pub fn explain_code(code: Code) -> Page {
    let found = ALL.into_iter().flatten().find(|page| page.code == code).copied();
    // A test sees to it that every code has a page; its line of explanation is there in any case.
    found.unwrap_or(Page { code, found: "", tensorflow: "", causes: &[], next: &[] })
}

/// All pages as one Markdown document, in the order of [`Code::ALL`].
pub fn pages_markdown() -> String {
    let mut out = String::from(
        "# Checks\n\n\
         Every finding of `ckpt` has a code. Codes are never renamed or reused; new ones may come. \
         `ckpt explain CODE` shows an entry of this page in the terminal, and \
         `ckpt explain 'ERROR MESSAGE'` reads the messages of TensorFlow itself.\n\n\
         Severities: an *error* means that data is damaged, missing or cannot be trusted, and makes `ckpt validate` \
         exit with 1; a *warning* is suspicious, but nothing is lost; a *note* is worth knowing.\n\n\
         This page is written by the program: change `src/analysis/explain/pages`, then run \
         `CKPT_UPDATE=1 cargo test --lib pages`.\n\n\
         | code | severity | meaning |\n|---|---|---|\n",
    );
    // Writing to a string cannot fail.
    for code in Code::ALL {
        let name = code.name();
        let _ = writeln!(out, "| [`{name}`](#{name}) | {} | {} |", code.severity().name(), code.what());
    }
    for code in Code::ALL {
        let page = explain_code(*code);
        let _ = write!(out, "\n## {}\n\n**{}.** {}\n", code.name(), capital(code.severity().name()), page.means());
        let _ = write!(out, "\n* How it is found: {}\n* What TensorFlow does: {}\n", page.found, page.tensorflow);
        for (title, lines) in [("Likely causes", page.causes), ("What to do", page.next)] {
            let _ = writeln!(out, "\n{title}:\n");
            for line in lines {
                // A command, and what it does.
                let _ = match line.split_once("   ") {
                    Some((command, what)) => writeln!(out, "* `{command}`: {what}"),
                    None => writeln!(out, "* {line}"),
                };
            }
        }
    }
    out
}

fn capital(word: &str) -> String {
    let mut chars = word.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_exactly_one_page_without_gaps() {
        for code in Code::ALL {
            let page = explain_code(*code);
            let lines = 2 + page.causes.len() + page.next.len();
            assert!(!page.found.is_empty() && !page.tensorflow.is_empty(), "{}", code.name());
            assert!(!page.causes.is_empty() && !page.next.is_empty(), "{}", code.name());
            assert!((4..=9).contains(&lines), "{}: {lines} lines", code.name());
            assert_eq!(ALL.into_iter().flatten().filter(|page| page.code == *code).count(), 1);
        }
    }

    #[test]
    fn docs_checks_md_is_these_pages() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/checks.md");
        if std::env::var_os("CKPT_UPDATE").is_some() {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, pages_markdown()).unwrap();
        }
        let text = std::fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
        assert!(text == pages_markdown(), "docs/checks.md is old: CKPT_UPDATE=1 cargo test --lib pages");
    }
}
