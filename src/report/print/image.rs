//! Pictures as files and for terminals: PNG, the graphics protocol of kitty, and Sixel.

use std::io::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::picture::Picture;

/// Bytes of base64 that kitty takes at a time.
const CHUNK: usize = 4096;

/// Writes a PNG, which says in itself what it shows.
///
/// # Errors
/// What `out` says.
pub fn write_png(picture: &Picture, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let side = |pixels: usize| u32::try_from(pixels).map_err(io::Error::other);
    let mut encoder = png::Encoder::new(out, side(picture.width)?, side(picture.height)?);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_palette(picture.palette.concat());
    encoder.add_itxt_chunk("Title".to_owned(), title.to_owned())?;
    encoder.add_itxt_chunk("Software".to_owned(), "ckpt".to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&picture.pixels)?;
    Ok(writer.finish()?)
}

/// Writes a picture as kitty and terminals like it show it: a PNG in base64, in pieces.
///
/// # Errors
/// What `out` says.
pub fn write_kitty(picture: &Picture, title: &str, out: &mut dyn Write) -> io::Result<()> {
    let mut png = Vec::new();
    write_png(picture, title, &mut png)?;
    let text = STANDARD.encode(png);
    let mut chunks = text.as_bytes().chunks(CHUNK).peekable();
    let mut keys = "a=T,f=100,";
    while let Some(chunk) = chunks.next() {
        let more = u8::from(chunks.peek().is_some());
        write!(out, "\x1b_G{keys}m={more};")?;
        out.write_all(chunk)?;
        out.write_all(b"\x1b\\")?;
        keys = "";
    }
    writeln!(out)
}

/// Writes a picture as xterm, foot, mlterm, Windows Terminal and others show it: Sixel, six rows at a time, a colour after
/// the other.
///
/// # Errors
/// What `out` says.
pub fn write_sixel(picture: &Picture, out: &mut dyn Write) -> io::Result<()> {
    // Pixels are square; what is not drawn stays as it is.
    write!(out, "\x1bP0;1q\"1;1;{};{}", picture.width, picture.height)?;
    for (n, [red, green, blue]) in picture.palette.iter().enumerate() {
        let [red, green, blue] = [red, green, blue].map(|part| (u32::from(*part) * 100 + 127) / 255);
        write!(out, "#{n};2;{red};{green};{blue}")?;
    }
    for band in picture.pixels.chunks(picture.width.max(1) * 6) {
        let mut colours: Vec<u8> = band.to_vec();
        colours.sort_unstable();
        colours.dedup();
        for (n, colour) in colours.iter().enumerate() {
            write!(out, "{}#{colour}", if n == 0 { "" } else { "$" })?;
            let column = |x: usize| {
                let rows = band.chunks(picture.width).enumerate();
                rows.filter(|(_, row)| row.get(x) == Some(colour)).fold(0u8, |bits, (y, _)| bits | 1 << y)
            };
            let mut run = (0u8, 0usize);
            for bits in (0..picture.width).map(column) {
                if bits == run.0 {
                    run.1 += 1;
                } else {
                    sixels(run, out)?;
                    run = (bits, 1);
                }
            }
            // What is empty at the end need not be said.
            if run.0 != 0 {
                sixels(run, out)?;
            }
        }
        out.write_all(b"-")?;
    }
    out.write_all(b"\x1b\\\n")
}

/// The same six pixels, so many times.
fn sixels((bits, times): (u8, usize), out: &mut dyn Write) -> io::Result<()> {
    let sixel = char::from(bits + 63);
    match times {
        0 => Ok(()),
        1..=3 => (0..times).try_for_each(|_| write!(out, "{sixel}")),
        _ => write!(out, "!{times}{sixel}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two colours, seven rows.
    fn picture() -> Picture {
        let mut pixels = vec![0; 5 * 7];
        pixels[0] = 1;
        pixels[5 * 6 + 4] = 1;
        Picture { width: 5, height: 7, palette: vec![[255, 255, 255], [0, 128, 255]], pixels, range: 1.0 }
    }

    #[test]
    fn sixels_are_six_rows_of_a_colour() {
        let mut out = Vec::new();
        write_sixel(&picture(), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "\x1bP0;1q\"1;1;5;7#0;2;100;100;100#1;2;0;50;100#0}!4~$#1@-#0!4@$#1!4?@-\x1b\\\n");
    }

    #[test]
    fn a_png_has_its_pixels_and_says_what_it_is() {
        let mut out = Vec::new();
        write_png(&picture(), "größe/λ", &mut out).unwrap();
        let mut reader = png::Decoder::new(io::Cursor::new(&out)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, picture().pixels);
        assert_eq!(reader.info().utf8_text[0].get_text().unwrap(), "größe/λ");
        let mut kitty = Vec::new();
        write_kitty(&picture(), "x", &mut kitty).unwrap();
        let text = String::from_utf8(kitty).unwrap();
        assert!(text.starts_with("\x1b_Ga=T,f=100,m=0;iVBOR") && text.ends_with("\x1b\\\n"), "{text:?}");
    }
}
