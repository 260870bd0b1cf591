//! The screen as cells, after keys and the mouse: what is found out behind it is waited for.

use std::path::Path;
use std::time::{Duration, Instant};

use ckpt::base::limits::Limits;
use ckpt::read::checkpoint::{Checkpoint, Choice};
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{
    Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton, MouseEvent, MouseEventKind,
};
use ratatui::style::Modifier;

use super::app::{App, Pane};
use super::back::{Answer, Back, Taken};
use super::rows::Rows;
use super::{act, leaked, view};

/// A terminal and who looks at it.
struct Seen {
    app: App,
    back: Back,
    terminal: Terminal<TestBackend>,
}

impl Seen {
    fn of(a: &Path, b: Option<&Path>, width: u16, height: u16) -> Self {
        let open = |path: &Path| leaked(Checkpoint::open(path, Choice::default(), &Limits::default()).unwrap());
        let (a, b) = (open(a), b.map(open));
        let rows = if b.is_some() { Rows::changes() } else { Rows::tensors(a) };
        let terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let mut seen = Self { app: App::new(rows, a, b), back: Back::start(a, b, 2).unwrap(), terminal };
        seen.draw();
        seen
    }

    fn fixture(a: &str, b: Option<&str>, width: u16, height: u16) -> Self {
        let path = |name: &str| Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name);
        Self::of(&path(a), b.map(path).as_deref(), width, height)
    }

    fn draw(&mut self) {
        self.terminal.draw(|frame| view::draw(&mut self.app, frame)).unwrap();
    }

    /// What is on the screen, without what is blank at the ends of lines.
    fn screen(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let width = usize::from(buffer.area.width);
        let lines = buffer.content.chunks(width).map(|line| {
            let text: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
            text.trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    /// What is on the screen, with what is bold, dim and reversed as a terminal is told it.
    fn drawn(&self) -> String {
        let buffer = self.terminal.backend().buffer();
        let mut text = String::new();
        for line in buffer.content.chunks(usize::from(buffer.area.width)) {
            let end =
                line.iter().rposition(|cell| cell.symbol() != " " || !cell.modifier.is_empty()).map_or(0, |at| at + 1);
            let mut before = Modifier::empty();
            for cell in &line[..end] {
                if cell.modifier != before {
                    before = cell.modifier;
                    text.push_str("\x1b[0");
                    for (part, code) in [(Modifier::BOLD, ";1"), (Modifier::DIM, ";2"), (Modifier::REVERSED, ";7")] {
                        text.push_str(if before.contains(part) { code } else { "" });
                    }
                    text.push('m');
                }
                text.push_str(cell.symbol());
            }
            text.push_str("\x1b[0m\n");
        }
        text
    }

    fn press(&mut self, keys: &str) {
        for c in keys.chars() {
            let code = match c {
                '\n' => KeyCode::Enter,
                '\t' => KeyCode::Tab,
                '\x1b' => KeyCode::Esc,
                '\x08' => KeyCode::Backspace,
                c => KeyCode::Char(c),
            };
            act(&mut self.app, &Event::Key(KeyEvent::new(code, KeyModifiers::NONE)));
        }
        self.draw();
    }

    fn mouse(&mut self, kind: MouseEventKind, column: u16, row: u16) {
        let mouse = MouseEvent { kind, column, row, modifiers: KeyModifiers::NONE };
        act(&mut self.app, &Event::Mouse(mouse));
        self.draw();
    }

    /// Waits until the screen shows a text.
    fn shows(&mut self, text: &str) {
        let begun = Instant::now();
        loop {
            while let Some(answer) = self.back.answer() {
                self.app.learn(answer);
            }
            self.draw();
            for request in self.app.requests() {
                self.back.ask(request);
            }
            if self.screen().contains(text) {
                return;
            }
            assert!(begun.elapsed() < Duration::from_secs(30), "no {text:?} in\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

#[test]
fn scopes_tensors_figures_and_values_are_side_by_side() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 110, 30);
    seen.shows("weight");
    let screen = seen.screen();
    assert!(screen.starts_with("14 tensors · ") && screen.contains("model.ckpt-200\n"), "{screen}");
    assert!(screen.contains("▸ dense") && screen.contains("▸ embedding"), "{screen}");
    assert!(screen.contains("dense/kernel/Adam_1"), "{screen}");
    // Down to a matrix: its figures, its histogram, its values.
    seen.press("gjjjjjjj");
    seen.shows("min -0.5656  max 0.4856  mean -9.21e-3  std 0.3299  zeros 0 %");
    seen.shows("[[-0.");
    assert!(seen.screen().contains("histogram ") && seen.screen().contains("along axis 0"), "{}", seen.screen());
    assert!(seen.screen().contains("float32 3×5 · 60 B · checksum ok"), "{}", seen.screen());
    // A slice of it.
    seen.press(":0, :2\n");
    seen.shows("dense/kernel[0, :2]");
    seen.shows("float32 2 of 3×5");
    // A scope, and what is in it.
    seen.press("hhg");
    assert_eq!(seen.app.pane, Pane::Tree);
    seen.press("jl");
    assert!(seen.screen().contains("▾ dense") && seen.screen().contains("  ▸ kernel"), "{}", seen.screen());
    assert!(seen.screen().contains("1 of 7"), "{}", seen.screen());
    seen.press("h");
    assert!(seen.screen().contains("▸ dense"), "{}", seen.screen());
}

#[test]
fn a_search_narrows_as_it_is_typed() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 110, 30);
    seen.press("/ker");
    seen.shows("3 of 14 tensors");
    assert!(seen.screen().contains("/ker█"), "{}", seen.screen());
    seen.press("nel !role:slot");
    seen.shows("1 of 14 tensors");
    seen.press("\n");
    assert!(!seen.app.is_typing());
    seen.press("\x1b");
    seen.shows("14 tensors · ");
    seen.press("/size:>90 dtype:float32");
    seen.shows("3 of 14 tensors");
    seen.press("\x1b");
    seen.press("/role:nothing");
    seen.shows("unknown role");
    seen.press("\x08");
    seen.press("\x1b/nowhere\n");
    seen.shows("nothing matches");
}

#[test]
fn the_largest_come_first_when_they_are_wanted() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 110, 30);
    seen.press("s");
    let screen = seen.screen();
    let line = |text: &str| screen.lines().position(|line| line.contains(text)).unwrap();
    assert!(screen.contains("largest first"), "{screen}");
    assert!(
        line("embedding/Adam_1 ") < line("dense/kernel ") && line("dense/kernel ") < line("beta1_power "),
        "{screen}"
    );
    seen.press("G");
    assert!(seen.screen().contains("14 of 14"), "{}", seen.screen());
    seen.press("s");
    assert!(!seen.screen().contains("largest first"));
}

#[test]
fn the_mouse_goes_where_it_points() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 110, 30);
    let row = seen.screen().lines().position(|line| line.contains("▸ dense")).unwrap();
    let row = u16::try_from(row).unwrap();
    seen.mouse(MouseEventKind::Down(MouseButton::Left), 3, row);
    assert_eq!(seen.app.pane, Pane::Tree);
    assert!(seen.screen().contains("1 of 7"), "{}", seen.screen());
    seen.mouse(MouseEventKind::Down(MouseButton::Left), 3, row);
    assert!(seen.screen().contains("▾ dense"), "{}", seen.screen());
    seen.mouse(MouseEventKind::Down(MouseButton::Left), 50, 4);
    assert!(seen.app.pane == Pane::Table && seen.screen().contains("3 of 7"), "{}", seen.screen());
    seen.mouse(MouseEventKind::ScrollDown, 50, 4);
    assert!(seen.screen().contains("6 of 7"), "{}", seen.screen());
}

#[test]
fn what_changed_is_shown_with_both_values() {
    let [a, b] = ["saver_v2/sharded_adam/model.ckpt-0", "saver_v2/sharded_adam/model.ckpt-200"];
    let mut seen = Seen::fixture(a, Some(b), 120, 30);
    seen.shows("13 changes · 13 of 14 differ");
    assert!(seen.screen().contains("~ dense/kernel") && !seen.screen().contains("comment"), "{}", seen.screen());
    seen.press("s");
    seen.shows("~ global_step");
    seen.shows("A  global_step  int64");
    seen.shows("B  global_step  int64");
    seen.press("/embedding");
    seen.shows("3 of 13 changes");
    // What names do not say is asked of both sides.
    seen.press("\x1b/role:slot");
    seen.shows("6 of 13 changes");
    seen.press(" !bias");
    seen.shows("4 of 13 changes");
    let mut same = Seen::fixture(a, Some(a), 120, 30);
    same.shows("no difference");
}

#[test]
fn names_reach_the_terminal_only_escaped() {
    let dir = tempfile::tempdir().unwrap();
    let names: [&[u8]; 5] = [
        b"a\x1b[31mred/kernel",
        b"b\nline\ttab",
        b"\x80not utf-8",
        "c\u{202e}turned/\u{200b}w".as_bytes(),
        "界界/界".as_bytes(),
    ];
    let mut sorted = names;
    sorted.sort_unstable();
    let mut bundle = ckpt_synth::BundleBuilder::new();
    for name in sorted {
        bundle = bundle.floats(name, &[2], &[1.0, 2.0]);
    }
    bundle.finish().write(&dir.path().join("m\x1b[2J")).unwrap();
    for (width, height) in [(110, 30), (71, 12), (40, 9)] {
        let mut seen = Seen::of(&dir.path().join("m\x1b[2J"), None, width, height);
        for _ in 0..6 {
            seen.press("j");
            seen.shows("1");
            let buffer = seen.terminal.backend().buffer();
            let bad = |cell: &&ratatui::buffer::Cell| {
                cell.symbol().chars().any(|c| c.is_control() || matches!(c, '\u{200b}' | '\u{202e}'))
            };
            assert_eq!(buffer.content.iter().find(bad), None, "{}", seen.screen());
        }
        if width > 100 {
            assert!(seen.screen().contains("a\\x1b[31mred/kernel"), "{}", seen.screen());
        }
    }
}

#[test]
fn no_key_and_no_size_is_too_much() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 80, 24);
    let mut random = 7u64;
    let mut next = |below: usize| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(random >> 33).unwrap() % below
    };
    let keys: Vec<char> = "jkhlduGgs/:?i \t\n\x1b\x08bfxkernel*".chars().collect();
    let sizes = [(80, 24), (1, 1), (20, 5), (200, 60), (71, 3), (3, 40)];
    for n in 0..ckpt_synth::tries(1000, 3000) {
        if n % 50 == 0 {
            let (width, height) = sizes[next(sizes.len())];
            seen.terminal.backend_mut().resize(width, height);
            seen.draw();
        }
        match next(8) {
            0 => {
                let kind =
                    [MouseEventKind::Down(MouseButton::Left), MouseEventKind::ScrollUp, MouseEventKind::ScrollDown];
                let at = (u16::try_from(next(210)).unwrap(), u16::try_from(next(65)).unwrap());
                seen.mouse(kind[next(3)], at.0, at.1);
            }
            _ => seen.press(&keys[next(keys.len())].to_string()),
        }
        while let Some(answer) = seen.back.answer() {
            seen.app.learn(answer);
        }
        for request in seen.app.requests() {
            seen.back.ask(request);
        }
    }
    assert!(!seen.app.is_over(), "q was not among them");
}

#[test]
fn keys_are_those_of_less_and_of_vim() {
    use super::keys::{Action, action};
    let key = |code, modifiers| Event::Key(KeyEvent::new(code, modifiers));
    let plain = |code| action(&key(code, KeyModifiers::NONE), false);
    let control = |c| action(&key(KeyCode::Char(c), KeyModifiers::CONTROL), false);
    assert_eq!([plain(KeyCode::Char('j')), plain(KeyCode::Down)], [Some(Action::Move(1)); 2]);
    assert_eq!([plain(KeyCode::Char(' ')), plain(KeyCode::PageDown), control('f')], [Some(Action::Page(2)); 3]);
    assert_eq!([plain(KeyCode::Char('G')), plain(KeyCode::Char('>')), plain(KeyCode::End)], [Some(Action::Last); 3]);
    assert_eq!([plain(KeyCode::Char('q')), control('c')], [Some(Action::Quit); 2]);
    assert_eq!(action(&key(KeyCode::Char('q'), KeyModifiers::NONE), true), Some(Action::Type('q')));
    let mut released = KeyEvent::new(KeyCode::Char('j'), KeyModifiers::NONE);
    released.kind = KeyEventKind::Release;
    assert_eq!(action(&Event::Key(released), false), None);
}

#[test]
fn an_answer_to_an_old_search_changes_nothing() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 110, 30);
    seen.press("/kernel");
    seen.shows("3 of 14 tensors");
    seen.app.learn(Answer::Found("bias".to_owned(), Ok(Taken { a: std::iter::once(0).collect(), b: None })));
    seen.draw();
    assert!(seen.screen().contains("3 of 14 tensors"));
}

/// The picture of docs/browse.md; `CKPT_UPDATE=1 cargo test --bin ckpt picture` draws it anew.
#[test]
fn the_picture_of_the_docs_is_the_screen() {
    let mut seen = Seen::fixture("saver_v2/sharded_adam/model.ckpt-200", None, 104, 26);
    seen.shows("weight");
    seen.press("jjjjjjj");
    seen.shows("histogram");
    seen.shows("[[-0.");
    let screen = seen.drawn();
    let at = screen.find('·').unwrap();
    let drawn = anstyle_svg::Term::new().palette(anstyle_svg::WIN10_CONSOLE);
    // Where the fixtures lie is not the same everywhere.
    let (_, rest) = screen.split_once('\n').unwrap();
    let path = "testdata/saver_v2/sharded_adam/model.ckpt-200";
    let drawn = drawn.render_svg(&format!("{}· {path}\n{rest}", &screen[..at]));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/browse.svg");
    if std::env::var_os("CKPT_UPDATE").is_some() {
        std::fs::write(&file, &drawn).unwrap();
    }
    let stands = std::fs::read_to_string(&file).unwrap_or_default().replace("\r\n", "\n");
    assert!(stands == drawn, "docs/browse.svg is not the screen: CKPT_UPDATE=1 cargo test --bin ckpt picture");
}
