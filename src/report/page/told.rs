//! The page put together, within its size.

use std::io::{self, Write};

use askama::Template;

use super::changes::Changes;
use super::first::First;
use super::given::PageReport;
use super::island::{Place, island};
use super::restores::Restores;
use super::tensors::Tables;
use super::times::Times;
use super::treemap::{self, Treemap};
use crate::analysis::Branch;
use crate::analysis::stats::PARTS;
use crate::report::Look;
use crate::report::findings::text::verdict;
use crate::report::inspect::text::title;
use crate::report::kit::json::shown;
use crate::report::kit::units::{count, counted, size};

/// What the page looks like, and what makes its table; both are the same in every page, and named by their hashes in its
/// policy of content.
const STYLE: &str = include_str!("html/page.css");
const SCRIPT: &str = include_str!("html/page.js");
/// `openssl dgst -sha256 -binary … | base64` of these two; a test holds them right.
const STYLE_SHA256: &str = include_str!("html/page.css.sha256");
const SCRIPT_SHA256: &str = include_str!("html/page.js.sha256");

/// What a page may take: so much, so much more for each tensor, and no more than this.
const FIXED: usize = 235_000;
const EACH: usize = 55;
const MOST: usize = 2_900_000;

/// How every page begins, and what in its head says who made it.
const BEGINS: &[u8] = b"<!DOCTYPE html>";
const MADE_BY: &[u8] = b"<meta name=\"generator\" content=\"ckpt report ";

/// Whether a file that begins with this is a page of `ckpt report`: its head of 4 KiB is enough.
pub fn is_page(head: &[u8]) -> bool {
    head.starts_with(BEGINS) && memchr::memmem::find(head, MADE_BY).is_some()
}

/// The page around its sections.
#[derive(Template)]
#[template(path = "page.html")]
struct Page<'p> {
    title: String,
    version: &'static str,
    style: &'static str,
    style_sha256: &'static str,
    script_sha256: &'static str,
    nav: Vec<(&'static str, &'static str)>,
    sections: &'p [String],
    notes: Vec<String>,
}

impl PageReport<'_> {
    /// Writes the page.
    ///
    /// # Errors
    /// What `out` says.
    pub fn write(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut nav = vec![("findings", "Findings")];
        let mut sections = vec![render(&First::of(self))?];
        if let Some(changes) = self.changes {
            nav.push(("changes", "What changed"));
            sections.push(render(&Changes::of(changes))?);
        }
        if !self.validation.restores.is_empty() {
            nav.push(("restores", "Restore"));
            sections.push(render(&Restores::of(&self.validation.restores))?);
        }
        if let Some(timeline) = self.timeline {
            nav.push(("times", "Directory"));
            sections.push(render(&Times::of(timeline))?);
        }
        let opened = (self.checkpoint, self.roles, self.tensors);
        let mut data = ("null".to_owned(), Place::default());
        if let (Some(checkpoint), Some(roles), Some(tensors)) = opened {
            let tree = Branch::of(checkpoint, roles, treemap::MOST);
            if let Some(map) = Treemap::of(checkpoint, &tree) {
                nav.push(("bytes", "Bytes"));
                sections.push(render(&map)?);
            }
            if tensors.all > 0 {
                nav.push(("tensors", "Tensors"));
                sections.push(render(&Tables::of(checkpoint, roles, tensors, &tree))?);
            }
            let used = STYLE.len() + SCRIPT.len() + sections.iter().map(String::len).sum::<usize>();
            let may = FIXED.saturating_add(EACH.saturating_mul(tensors.all)).min(MOST);
            data = island(checkpoint, roles, tensors, may.saturating_sub(used));
        }
        nav.push(("limits", "What is not here"));
        let (data, place) = data;
        let page = Page {
            title: self.title(),
            version: env!("CARGO_PKG_VERSION"),
            style: STYLE,
            style_sha256: STYLE_SHA256.trim(),
            script_sha256: SCRIPT_SHA256.trim(),
            nav,
            sections: &sections,
            notes: self.notes(place),
        };
        out.write_all(render(&page)?.as_bytes())?;
        write!(out, "\n<script type=\"application/json\" id=\"data\">{data}</script>\n<script>{SCRIPT}</script>\n")?;
        out.write_all(b"</body>\n</html>\n")
    }

    /// What the page says first, in one line.
    pub fn verdict(&self) -> String {
        let mut text = Vec::new();
        // Nothing goes wrong where everything fits in memory.
        let _ = verdict(self.validation, self.quick, Look::default(), &mut text);
        String::from_utf8_lossy(&text).lines().last().unwrap_or_default().to_owned()
    }

    fn title(&self) -> String {
        match (self.checkpoint, self.summary) {
            (Some(checkpoint), Some(summary)) => title(checkpoint, summary),
            _ => shown(self.given),
        }
    }

    /// What was not read, and what is not shown.
    fn notes(&self, place: Place) -> Vec<String> {
        let checked = &self.validation.checked;
        let mut notes = Vec::new();
        notes.push(match (self.quick, checked.skipped) {
            (false, 0) if checked.verified == 0 && checked.unsummed > 0 => {
                "No tensor has a checksum: nobody can say that their bytes are the ones that were saved.".to_owned()
            }
            (true, _) => "No data was read to check it: whether tensors hold what was saved is not known.".to_owned(),
            (false, 0) => format!(
                "{} of {} tensors were read and compared with their checksums, {} in {}.",
                count(checked.verified),
                count(checked.tensors),
                size(checked.bytes),
                counted(checked.files, "file")
            ),
            (false, n) => format!(
                "{} of {} tensors were read and compared with their checksums; {} could not be, or were not.",
                count(checked.verified),
                count(checked.tensors),
                count(n)
            ),
        });
        if checked.unsummed > 0 && checked.verified > 0 {
            notes.push(format!("{} have no checksum to compare with.", counted(checked.unsummed, "tensor")));
        }
        let Some(tensors) = self.tensors else { return notes };
        match &tensors.totals {
            None => notes.push(
                "Values were not looked at: extremes, NaN and histograms come with ckpt report --stats.".to_owned(),
            ),
            Some(totals) => {
                let skipped = totals.skipped.tensors as u64;
                if skipped > 0 {
                    notes.push(format!("{} without numbers: strings, variants.", counted(skipped, "tensor")));
                }
                if totals.unreadable > 0 {
                    notes.push(format!("{} could not be read.", counted(totals.unreadable as u64, "tensor")));
                }
                notes.push(format!(
                    "Histograms have 32 bars from the least to the greatest finite element, each relative to the \
                     highest; curves are the root mean square in up to {PARTS} parts of the first axis."
                ));
            }
        }
        if place.tensors < tensors.all {
            notes.push(format!(
                "The table names {} of {} tensors: the largest, and those that something is wrong with. The rest is \
                 folded into the sums of scopes and roles; ckpt list names them all.",
                count(place.tensors as u64),
                count(tensors.all as u64)
            ));
        }
        if tensors.sick_unnamed > 0 {
            notes.push(format!(
                "{} with NaN, infinity or without their bytes are not named; ckpt stats --sort non-finite names them.",
                counted(tensors.sick_unnamed as u64, "tensor")
            ));
        }
        for (shown, what, command) in
            [(place.figures, "figures", "ckpt stats"), (place.curves, "curves", "ckpt stats --hist")]
        {
            if shown < place.read {
                notes.push(format!(
                    "There was room for the {what} of {} of {} tensors in the table, the largest; {command} has all.",
                    count(shown as u64),
                    count(place.read as u64)
                ));
            }
        }
        let damage = self.checkpoint.map_or(0, |checkpoint| checkpoint.damage().len()) as u64;
        if damage > 0 {
            notes.push(format!(
                "{} of the index could not be read: tensors may be missing from this page.",
                counted(damage, "part")
            ));
        }
        notes
    }
}

fn render(template: &impl Template) -> io::Result<String> {
    template.render().map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    /// `CKPT_UPDATE=1 cargo test --lib page` writes them anew.
    #[test]
    fn the_policy_names_the_hashes_of_style_and_script() {
        let dir = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/report/page/html");
        for name in ["page.css", "page.js"] {
            let text = std::fs::read_to_string(dir.join(name)).unwrap();
            assert!(!text.contains('\r'), "{name}: a parser of HTML takes line ends for others");
            let hash = STANDARD.encode(Sha256::digest(text.as_bytes())) + "\n";
            let file = dir.join(format!("{name}.sha256"));
            if std::env::var_os("CKPT_UPDATE").is_some() {
                std::fs::write(&file, &hash).unwrap();
            }
            assert_eq!(std::fs::read_to_string(&file).unwrap(), hash, "CKPT_UPDATE=1 cargo test --lib page");
        }
    }
}
