//! How text is shown: colours and the width of the terminal.

use anstyle::{AnsiColor, Style};

/// How text is shown.
#[derive(Clone, Copy, Debug, Default)]
pub struct Look {
    /// Whether colours and weights may be used. They never carry meaning alone.
    pub color: bool,
    /// Columns of the terminal; `None` when it is not one.
    pub width: Option<usize>,
}

impl Look {
    /// For paragraphs, which end their lines where a page does also where there is no terminal.
    pub(in crate::report) fn of_a_page(self) -> Self {
        Self { width: self.width.or(Some(80)), ..self }
    }

    /// Style of what a heading or a name is.
    pub fn bold(self) -> Style {
        self.style(Style::new().bold())
    }

    /// Style of what matters less.
    pub fn dim(self) -> Style {
        self.style(Style::new().dimmed())
    }

    /// Style of what is wrong.
    pub fn bad(self) -> Style {
        self.style(AnsiColor::Red.on_default().bold())
    }

    /// Style of what is new.
    pub fn good(self) -> Style {
        self.style(AnsiColor::Green.on_default())
    }

    /// Style of what is suspicious.
    pub fn doubtful(self) -> Style {
        self.style(AnsiColor::Yellow.on_default())
    }

    pub(in crate::report) fn style(self, style: Style) -> Style {
        if self.color { style } else { Style::new() }
    }
}
