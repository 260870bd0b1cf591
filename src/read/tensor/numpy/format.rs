//! How wide the columns are, and whether numbers need an exponent.
//!
//! Source: `numpy/_core/arrayprint.py` of NumPy 2.4, classes `FloatingFormat`, `ComplexFloatingFormat`,
//! `IntegerFormat` and `BoolFormat`. Older releases write an exponent only from 1e8 on in every type.

use std::fmt::Write;

use super::super::{DType, Element, Float, NarrowKind};
use super::{FloatMode, Options, Sign, digits};

/// The width and style of a tensor's elements, found by looking at those that will be printed.
#[derive(Clone, Debug)]
pub struct Format {
    kind: Kind,
    /// Whether a scalar is printed like an array's element, because a precision was asked for.
    pub(super) shorten_scalar: bool,
}

#[derive(Clone, Debug)]
enum Kind {
    Bool,
    Int {
        width: usize,
        sign: Sign,
        negative: bool,
    },
    Float(Box<FloatFormat>),
    Complex(Box<[FloatFormat; 2]>),
    /// Strings and anything that has no columns.
    Text,
}

impl Format {
    /// A format for elements of `dtype`, none seen yet.
    pub fn new(dtype: DType, options: &Options) -> Self {
        let float = |class, imaginary| FloatFormat::new(class, options, imaginary);
        let kind = match dtype {
            DType::Bool => Kind::Bool,
            DType::Int8
            | DType::Int16
            | DType::Int32
            | DType::Int64
            | DType::UInt8
            | DType::UInt16
            | DType::UInt32
            | DType::UInt64
            | DType::QInt8
            | DType::QInt16
            | DType::QInt32
            | DType::QUInt8
            | DType::QUInt16
            | DType::Int4
            | DType::UInt4
            | DType::Int2
            | DType::UInt2 => Kind::Int { width: 0, sign: options.sign, negative: false },
            DType::Float64 => Kind::Float(Box::new(float(Class::Double, false))),
            DType::Float32 => Kind::Float(Box::new(float(Class::Single, false))),
            DType::Float16 => Kind::Float(Box::new(float(Class::Half, false))),
            DType::BFloat16
            | DType::Float8E5M2
            | DType::Float8E4M3FN
            | DType::Float8E4M3FNUZ
            | DType::Float8E4M3B11FNUZ
            | DType::Float8E5M2FNUZ
            | DType::Float4E2M1FN => Kind::Float(Box::new(float(Class::Small, false))),
            DType::Complex64 => Kind::Complex(Box::new([false, true].map(|plus| float(Class::Single, plus)))),
            DType::Complex128 => Kind::Complex(Box::new([false, true].map(|plus| float(Class::Double, plus)))),
            DType::Invalid | DType::String | DType::Resource | DType::Variant | DType::Ref(_) | DType::Unknown(_) => {
                Kind::Text
            }
        };
        Self { kind, shorten_scalar: options.precision.is_some() && options.shorten_scalar }
    }

    /// Takes note of an element that will be printed.
    pub fn observe(&mut self, element: &Element) {
        match (&mut self.kind, element) {
            (Kind::Int { width, sign, negative }, Element::Int(value)) => {
                *negative |= *value < 0;
                let signed = usize::from(*value >= 0 && *sign == Sign::Plus);
                *width = (*width).max(int_width(*value) + signed);
            }
            (Kind::Int { width, sign, .. }, Element::UInt(value)) => {
                *width = (*width).max(decimal_digits(*value) + usize::from(*sign == Sign::Plus));
            }
            (Kind::Float(format), Element::Float(value)) => format.observe(*value),
            (Kind::Complex(formats), Element::Complex(re, im)) => {
                let [real, imaginary] = &mut **formats;
                real.observe(*re);
                imaginary.observe(*im);
            }
            _ => {}
        }
    }

    /// Appends an array's element, padded to its column.
    pub(super) fn write(&self, element: &Element, out: &mut String) {
        let written = match (&self.kind, element) {
            (Kind::Bool, Element::Bool(true)) => write!(out, " True"),
            (_, Element::Bool(value)) => write!(out, "{}", if *value { "True" } else { "False" }),
            (Kind::Int { width, sign: Sign::Plus, .. }, Element::Int(value)) => write!(out, "{value:+width$}"),
            (Kind::Int { width, sign: Sign::Plus, .. }, Element::UInt(value)) => write!(out, "{value:+width$}"),
            (Kind::Int { width, sign, negative }, Element::Int(value)) => {
                let width = width + usize::from(*sign == Sign::Space && !negative);
                write!(out, "{value:width$}")
            }
            (Kind::Int { width, sign, .. }, Element::UInt(value)) => {
                let width = width + usize::from(*sign == Sign::Space);
                write!(out, "{value:width$}")
            }
            (Kind::Float(format), Element::Float(value)) => {
                format.write(*value, out);
                Ok(())
            }
            (Kind::Complex(formats), Element::Complex(re, im)) => {
                let [real, imaginary] = &**formats;
                real.write(*re, out);
                imaginary.write(*im, out);
                // The unit goes before the blanks that fill the column.
                let end = out.trim_end_matches(' ').len();
                out.insert(end, 'j');
                Ok(())
            }
            _ => super::super::write_csv(*element, out),
        };
        debug_assert!(written.is_ok(), "writing to a string cannot fail");
    }
}

fn decimal_digits(value: u64) -> usize {
    value.checked_ilog10().map_or(1, |log| log as usize + 1)
}

fn int_width(value: i64) -> usize {
    decimal_digits(value.unsigned_abs()) + usize::from(value < 0)
}

/// What NumPy's limits depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Class {
    Double,
    Single,
    Half,
    /// bfloat16 and below, which NumPy itself does not know; they get float16's limits.
    Small,
}

impl Class {
    pub(super) fn of(value: Float) -> Self {
        match value {
            Float::Double(_) => Self::Double,
            Float::Single(_) => Self::Single,
            Float::Narrow(narrow) if narrow.kind() == NarrowKind::Float16 => Self::Half,
            Float::Narrow(_) => Self::Small,
        }
    }

    /// 1 and as many zeros as the type has decimal digits.
    fn large(self) -> f64 {
        match self {
            Self::Double => 1e8,
            Self::Single => 1e6,
            Self::Half | Self::Small => 1e3,
        }
    }

    /// From where on a scalar has an exponent.
    fn large_scalar(self) -> f64 {
        if self == Self::Double { 1e16 } else { self.large() }
    }

    /// 0.0001, rounded to the type like NumPy's comparison does.
    fn small(self) -> f64 {
        match self {
            Self::Double | Self::Small => 0.0001,
            Self::Single => f64::from(0.0001f32),
            Self::Half => half::f16::from_f32(0.0001).to_f64(),
        }
    }

    /// `large / small`, rounded to the type like NumPy's division.
    #[expect(clippy::cast_possible_truncation, reason = "the operands are values of the type")]
    fn ratio(self, large: f64, small: f64) -> f64 {
        match self {
            Self::Double => large / small,
            Self::Single | Self::Small => f64::from(large as f32 / small as f32),
            Self::Half => half::f16::from_f32(large as f32 / small as f32).to_f64(),
        }
    }
}

/// Both styles are measured while values are seen, since only the last one tells which it will be.
#[expect(clippy::struct_excessive_bools, reason = "each is something that was seen, or asked for")]
#[derive(Clone, Debug)]
struct FloatFormat {
    class: Class,
    precision: usize,
    /// What a positive number has: a sign, if it is an imaginary part.
    sign: Sign,
    suppress: bool,
    mode: FloatMode,
    /// What NaN and infinity are called.
    names: [String; 2],
    /// Whether a finite value is negative, -0 too.
    negative: bool,
    /// Largest and smallest magnitude of the finite values other than 0.
    magnitudes: Option<(f64, f64)>,
    non_finite: bool,
    negative_infinity: bool,
    fixed: Columns,
    scientific: Columns,
    scratch: String,
}

/// Characters before the point, digits after it, digits of the exponent.
#[derive(Clone, Copy, Debug, Default)]
struct Columns {
    left: usize,
    right: usize,
    exponent: usize,
}

impl FloatFormat {
    fn new(class: Class, options: &Options, imaginary: bool) -> Self {
        let mode = options.float_mode;
        Self {
            class,
            precision: if mode == FloatMode::Unique { usize::MAX } else { options.precision.unwrap_or(8) },
            sign: if imaginary { Sign::Plus } else { options.sign },
            suppress: options.suppress,
            mode,
            names: [options.nan.clone(), options.infinity.clone()],
            negative: false,
            magnitudes: None,
            non_finite: false,
            negative_infinity: false,
            fixed: Columns::default(),
            scientific: Columns { exponent: 2, ..Columns::default() },
            scratch: String::new(),
        }
    }

    fn observe(&mut self, float: Float) {
        let value = float.value();
        if !value.is_finite() {
            self.non_finite = true;
            self.negative_infinity |= value == f64::NEG_INFINITY;
            return;
        }
        if value != 0.0 {
            let magnitude = value.abs();
            let (large, small) = self.magnitudes.unwrap_or((magnitude, magnitude));
            self.magnitudes = Some((large.max(magnitude), small.min(magnitude)));
        }
        self.negative |= value.is_sign_negative();
        let sign = usize::from(self.sign == Sign::Plus && value.is_sign_positive());
        let mut text = std::mem::take(&mut self.scratch);
        // Once there is an exponent it stays, and then nobody asks for the other style.
        if !self.has_exponent() {
            text.clear();
            match self.mode {
                FloatMode::Fixed => digits::exact(float, self.precision, &mut text),
                _ => digits::positional(float, self.precision, &mut text),
            }
            self.fixed.include(&text, sign);
        }
        text.clear();
        let least = if self.mode == FloatMode::Fixed { self.precision } else { 0 };
        digits::scientific(float, self.precision, least, 2, &mut text);
        self.scientific.include(&text, sign);
        self.scratch = text;
    }

    fn has_exponent(&self) -> bool {
        let class = self.class;
        self.magnitudes.is_some_and(|(large, small)| {
            large >= class.large() || !self.suppress && (small < class.small() || class.ratio(large, small) > 1000.0)
        })
    }

    fn write(&self, float: Float, out: &mut String) {
        let exponent = self.has_exponent();
        let columns = if exponent { self.scientific } else { self.fixed };
        let right = columns.right + if exponent { columns.exponent + 2 } else { 0 };
        let mut left = columns.left + usize::from(self.sign == Sign::Space && !self.negative);
        let [nan, infinity] = &self.names;
        if self.non_finite {
            let sign = usize::from(self.sign != Sign::Minus || self.negative_infinity);
            let wide = |name: &str| name.chars().count();
            left = left.max((wide(infinity) + sign).saturating_sub(right + 1)).max(wide(nan).saturating_sub(right + 1));
        }
        let value = float.value();
        let start = out.len();
        if self.sign == Sign::Plus && (value.is_nan() || value.is_sign_positive()) {
            out.push('+');
        }
        if !value.is_finite() {
            if value == f64::NEG_INFINITY {
                out.push('-');
            }
            out.push_str(if value.is_nan() { nan } else { infinity });
            let len = out.get(start..).map_or(0, |text| text.chars().count());
            pad(out, start, (left + right + 1).saturating_sub(len));
            return;
        }
        if exponent {
            digits::scientific(float, columns.right, columns.right, columns.exponent, out);
        } else if matches!(self.mode, FloatMode::Fixed | FloatMode::MaxPrecEqual) {
            digits::exact(float, columns.right, out);
        } else {
            digits::positional(float, self.precision, out);
        }
        let point = out.get(start..).and_then(|text| text.find('.')).unwrap_or(0);
        let missing = left.saturating_sub(point);
        pad(out, start, missing);
        let end = start + left.max(point) + 1 + right;
        out.extend(std::iter::repeat_n(' ', end.saturating_sub(out.len())));
    }
}

fn pad(out: &mut String, at: usize, count: usize) {
    const BLANKS: &str = "                                ";
    let mut missing = count;
    while missing > 0 {
        let step = missing.min(BLANKS.len());
        out.insert_str(at, BLANKS.get(..step).unwrap_or(" "));
        missing -= step;
    }
}

impl Columns {
    /// Widens the columns to `-12.5` or `1.25e-10`, with `sign` more characters before it.
    fn include(&mut self, text: &str, sign: usize) {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((text, ""));
        let (int, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        self.left = self.left.max(int.len() + sign);
        self.right = self.right.max(fraction.len());
        self.exponent = self.exponent.max(exponent.len().saturating_sub(1));
    }
}

/// Appends an element as NumPy prints a scalar: in full, without columns.
pub(super) fn write_scalar(element: &Element, out: &mut String) {
    match element {
        Element::Bool(value) => out.push_str(if *value { "True" } else { "False" }),
        Element::Float(value) => write_scalar_float(*value, true, out),
        Element::Complex(re, im) => {
            let imaginary_only = re.value() == 0.0 && re.value().is_sign_positive();
            if !imaginary_only {
                out.push('(');
                write_scalar_float(*re, false, out);
                if im.value().is_nan() || im.value().is_sign_positive() {
                    out.push('+');
                }
            }
            write_scalar_float(*im, false, out);
            out.push_str(if imaginary_only { "j" } else { "j)" });
        }
        Element::Int(_) | Element::UInt(_) => {
            let written = super::super::write_csv(*element, out);
            debug_assert!(written.is_ok(), "writing to a string cannot fail");
        }
    }
}

fn write_scalar_float(float: Float, keep_zero: bool, out: &mut String) {
    let (value, class) = (float.value(), Class::of(float));
    let magnitude = value.abs();
    if !value.is_finite() {
        out.push_str(if value.is_nan() {
            "nan"
        } else if value < 0.0 {
            "-inf"
        } else {
            "inf"
        });
    } else if value == 0.0 || (0.0001..class.large_scalar()).contains(&magnitude) {
        digits::positional(float, usize::MAX, out);
        if out.ends_with('.') {
            if keep_zero {
                out.push('0');
            } else {
                out.pop();
            }
        }
    } else {
        let start = out.len();
        digits::scientific(float, usize::MAX, 0, 2, out);
        if let Some(point) = out.get(start..).and_then(|text| text.find(".e")) {
            out.remove(start + point);
        }
    }
}
