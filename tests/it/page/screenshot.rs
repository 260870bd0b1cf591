//! What the page looks like in a browser, where one is installed: a picture of it, light and dark, held to what the page
//! says of itself. By structure and not by pixels: what is painted where, and that it can be read.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::browser::{FLAGS, Told, chromium, dumped};
use super::made::{page_of, safetensors};

/// Wide enough for all columns, and longer than the page.
const WIDTH: usize = 1200;
const HEIGHT: usize = 5000;

/// What stands around the page, and says where its parts are and of what colours.
const MEASURE: &str = r#"<!DOCTYPE html><meta charset="utf-8"><style>body{margin:0}iframe{border:0;display:block}pre{display:none}</style>
<iframe id="page" width="WIDTH" height="HEIGHT" src="page.html"></iframe><pre id="out"></pre><script>
onload = () => {
  const page = document.getElementById('page').contentWindow, doc = page.document, out = {};
  const style = element => page.getComputedStyle(element), root = style(doc.documentElement);
  const box = element => { const {x, y, width, height} = element.getBoundingClientRect(); return [x, y, width, height]; };
  const all = (what, more) => [...doc.querySelectorAll(what)].map(element => ({box: box(element), ...more(element)}));
  const fill = element => ({colour: root.getPropertyValue('--c' + element.getAttribute('class').slice(1)).trim()});
  try {
    out.dark = page.matchMedia('(prefers-color-scheme: dark)').matches;
    out.body = style(doc.body).backgroundColor;
    out.height = doc.body.getBoundingClientRect().bottom;
    out.sections = all('main > section', element => ({name: element.id}));
    out.verdict = all('#verdict', element => ({colour: style(element).backgroundColor, edge: style(element).borderLeftColor}));
    out.leaves = all('#map g > rect:not(.g)', fill);
    out.bars = all('svg.bar rect', fill);
    out.heat = all('.heat td[class^=h]', element => ({colour: style(element).backgroundColor}));
    out.rows = all('#made tbody tr', element => ({colour: style(element.querySelector('td')).backgroundColor}));
    out.names = all('#made tbody th', element => ({text: element.textContent}));
  } catch (error) { out.error = String(error.stack); }
  document.getElementById('out').textContent = JSON.stringify(out);
};
</script>"#;

type Colour = [u8; 3];

/// `#rgb`, `#rrggbb`, `rgb(r, g, b)`; nothing for what is seen through.
fn colour(text: &Value) -> Option<Colour> {
    let text = text.as_str().unwrap();
    let parts: Vec<u8> = match text.strip_prefix('#') {
        Some(hex) if hex.len() == 3 => {
            hex.chars().map(|digit| u8::try_from(digit.to_digit(16).unwrap() * 17).unwrap()).collect()
        }
        Some(hex) => (0..3).map(|n| u8::from_str_radix(&hex[n * 2..n * 2 + 2], 16).unwrap()).collect(),
        None => {
            text.strip_prefix("rgb(")?.trim_end_matches(')').split(", ").map(|part| part.parse().unwrap()).collect()
        }
    };
    Some(parts.try_into().unwrap())
}

/// How much lighter one colour is than the other, from 1 to 21: the contrast ratio of WCAG 2.
fn contrast(a: Colour, b: Colour) -> f64 {
    let luminance = |colour: Colour| {
        let [r, g, b] = colour.map(|part| {
            let part = f64::from(part) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (a, b) = (luminance(a), luminance(b));
    (a / b).max(b / a)
}

/// A box on the page: its first and last columns and rows, without so many pixels at each side.
struct Area {
    x: (usize, usize),
    y: (usize, usize),
}

impl Area {
    fn of(part: &Value, less: f64) -> Self {
        let [x, y, width, height] = [0, 1, 2, 3].map(|n| part["box"][n].as_f64().unwrap());
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places on a page")]
        let between = |from: f64, to: f64| ((from + less).ceil() as usize, (to - less).floor().max(0.0) as usize);
        Self { x: between(x, x + width), y: between(y, y + height) }
    }
}

struct Picture {
    width: usize,
    pixels: Vec<u8>,
}

impl Picture {
    fn read(path: &Path) -> Self {
        let mut decoder = png::Decoder::new(std::io::BufReader::new(std::fs::File::open(path).unwrap()));
        decoder.set_transformations(png::Transformations::normalize_to_color8() | png::Transformations::ALPHA);
        let mut reader = decoder.read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let info = reader.next_frame(&mut pixels).unwrap();
        assert_eq!(info.color_type, png::ColorType::Rgba);
        let width = usize::try_from(info.width).unwrap();
        assert!(width >= WIDTH && pixels.len() >= width * HEIGHT * 4, "{width} pixels wide");
        Self { width, pixels }
    }

    fn at(&self, x: usize, y: usize) -> Colour {
        let at = (y * self.width + x) * 4;
        self.pixels[at..at + 3].try_into().unwrap()
    }

    fn pixels(&self, area: &Area) -> impl Iterator<Item = Colour> {
        let (from, to) = area.x;
        (area.y.0..area.y.1).flat_map(move |y| (from..to).map(move |x| self.at(x, y)))
    }

    /// The share of an area that is of a colour.
    fn share(&self, area: &Area, wanted: Colour) -> f64 {
        let near = |got: Colour| got.iter().zip(&wanted).all(|(a, b)| a.abs_diff(*b) <= 2);
        let (mut all, mut same) = (0_u32, 0_u32);
        for pixel in self.pixels(area) {
            all += 1;
            same += u32::from(near(pixel));
        }
        f64::from(same) / f64::from(all.max(1))
    }

    /// How well what is written in an area can be told from what is behind it.
    fn legible(&self, area: &Area, behind: Colour) -> f64 {
        self.pixels(area).map(|pixel| contrast(pixel, behind)).fold(1.0, f64::max)
    }
}

/// A picture of the page with the driver around it, and what the driver found.
fn pictured(chromium: &Path, dir: &Path, scheme: &[&str]) -> (Picture, Value) {
    let driver = MEASURE.replace("WIDTH", &WIDTH.to_string()).replace("HEIGHT", &HEIGHT.to_string());
    let Told { found, console } = dumped(chromium, dir, &driver, scheme);
    assert!(found["error"].is_null() && console.is_empty(), "{found} {console:?}");
    let png = dir.join("page.png");
    let output = Command::new(chromium)
        .args(FLAGS)
        .args(scheme)
        .args(["--hide-scrollbars", "--force-device-scale-factor=1"])
        // What a window has besides the page is a part of its height.
        .arg(format!("--window-size={WIDTH},{}", HEIGHT + 200))
        .arg(format!("--user-data-dir={}", dir.join("profile").display()))
        .arg(format!("--screenshot={}", png.display()))
        .arg(format!("file://{}", dir.join("driver.html").display()))
        .output()
        .unwrap();
    assert!(png.is_file(), "{}", String::from_utf8_lossy(&output.stderr));
    (Picture::read(&png), found)
}

#[test]
fn a_picture_of_the_page_shows_its_parts_where_they_are() {
    let Some(chromium) = chromium() else { return };
    let dir = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| dir.path().join(format!("{name}.safetensors")));
    let name = |n: usize| format!("layer_{}/kernel_{n:02}", n / 10);
    safetensors(&a, 42, 240, name, 0.5);
    safetensors(&b, 42, 240, name, 0.0);
    let made = page_of(&a, &dir.path().join("page.html"), &["--stats", "--against", b.to_str().unwrap()]);
    assert_eq!(made.status, 1, "{}", made.line);
    // Blink's own names of the two schemes are numbers. What has windows asks its desktop instead, and may be light twice.
    let schemes = [
        &["--blink-settings=preferredColorScheme=1"][..],
        &["--blink-settings=preferredColorScheme=0", "--force-dark-mode"],
    ];
    for scheme in schemes {
        let (picture, found) = pictured(&chromium, dir.path(), scheme);
        let is_dark = found["dark"].as_bool().unwrap();
        let body = colour(&found["body"]).unwrap();
        assert_eq!(contrast(body, [255; 3]) > 10.0, is_dark, "{body:?}");
        assert!(found["height"].as_f64().unwrap() < f64::from(u16::try_from(HEIGHT).unwrap()), "{}", found["height"]);
        let parts = |name: &str| -> Vec<Value> { found[name].as_array().unwrap().clone() };

        // Sections stand below each other, each with something in it that can be read, and nothing between them.
        let sections = parts("sections");
        assert!(sections.len() >= 6, "{sections:?}");
        for (section, next) in sections.iter().zip(sections.iter().skip(1).map(Some).chain([None])) {
            let area = Area::of(section, 0.0);
            assert!(picture.legible(&area, body) > 7.0, "{section}");
            if let Some(next) = next {
                let below = Area::of(next, 0.0);
                assert!(area.y.1 <= below.y.0, "{section} {next}");
                let gap = Area { x: (0, WIDTH), y: (area.y.1 + 1, below.y.0.saturating_sub(1)) };
                assert!(gap.y.1 <= gap.y.0 || picture.share(&gap, body) > 0.999, "{section} {next}");
            }
        }

        // The verdict, in its colours.
        let verdict = &parts("verdict")[0];
        let (behind, edge) = (colour(&verdict["colour"]).unwrap(), colour(&verdict["edge"]).unwrap());
        let area = Area::of(verdict, 1.0);
        assert!(picture.share(&Area { x: (area.x.0, area.x.0 + 3), y: area.y }, edge) > 0.9, "{verdict}");
        assert!(picture.share(&area, behind) > 0.6 && picture.legible(&area, behind) > 7.0, "{verdict}");

        // A leaf of the treemap for each tensor, in the colour of its role under its pattern, and bars likewise.
        let leaves = parts("leaves");
        assert_eq!(leaves.len(), 42);
        for part in leaves.iter().chain(&parts("bars")) {
            let area = Area::of(part, 2.0);
            let is_seen = area.x.1 > area.x.0 + 8 && area.y.1 > area.y.0 + 4;
            assert!(!is_seen || picture.share(&area, colour(&part["colour"]).unwrap()) > 0.5, "{part}");
        }

        // What changed is as dark as it says, with its number upon it.
        let heat = parts("heat");
        assert!(heat.len() >= 5, "{heat:?}");
        for cell in &heat {
            let (area, behind) = (Area::of(cell, 1.0), colour(&cell["colour"]).unwrap());
            if area.y.1 < HEIGHT && area.x.1 < WIDTH {
                assert!(picture.share(&area, behind) > 0.4 && picture.legible(&area, behind) > 4.5, "{cell}");
            }
        }

        // One row for each tensor, each of one line and written in the first column.
        let (rows, names) = (parts("rows"), parts("names"));
        assert_eq!((rows.len(), names.len()), (42, 42));
        // The table scrolls by itself: what is below its end is not seen.
        let end = Area::of(sections.iter().find(|section| section["name"] == "tensors").unwrap(), 0.0).y.1;
        let mut heights: Vec<usize> = Vec::new();
        for (row, name) in rows.iter().zip(&names) {
            let area = Area::of(row, 0.0);
            heights.push(area.y.1 - area.y.0);
            let behind = colour(&row["colour"]).unwrap_or(body);
            if area.y.1 < end {
                assert!(picture.legible(&Area::of(name, 1.0), behind) > 7.0, "{name}");
            }
        }
        assert!(heights.iter().max().unwrap() - heights.iter().min().unwrap() <= 2, "{heights:?}");
    }
}
