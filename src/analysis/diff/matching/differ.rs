//! How the values of two tensors differ that should be the same, as a person would say it.
#![expect(clippy::float_cmp, reason = "whether two elements are equal is the question")]

use crate::analysis::diff::delta::{Partial, parts};
use crate::read::tensor::{DType, Element, write_csv};

/// What is known of a pair whose values differ, both in the shape of B.
pub(super) struct Seen<'s> {
    pub(super) partial: &'s Partial,
    pub(super) count: u64,
    pub(super) dims: &'s [u64],
    /// Which elements differ, if few do.
    pub(super) listed: &'s [usize],
    /// Whether both have the same elements, in another order.
    pub(super) same_elements: bool,
    /// The elements, if they are held.
    pub(super) both: Option<(DType, &'s [u8], &'s [u8])>,
}

/// What is said of it.
pub(super) fn say(seen: &Seen<'_>) -> String {
    let Seen { partial, count, .. } = seen;
    if partial.changed == 0 && partial.bits_only > 0 {
        return "other bits with the same values: signs of zeros, or NaN".to_owned();
    }
    if seen.same_elements {
        return "the same elements in another order".to_owned();
    }
    if let Some(text) = of_one(seen).or_else(|| factor(seen)) {
        return text;
    }
    let share = |text: &str| {
        if partial.changed < *count {
            format!("{text}, in {} of {count} elements", partial.changed)
        } else {
            text.to_owned()
        }
    };
    if let Some(text) = noise(seen) {
        return share(&text);
    }
    let cosine = partial.sums.dot / (partial.sums.aa.sqrt() * partial.sums.bb.sqrt());
    share(match cosine {
        cosine if cosine > 0.99 => "close: trained on, or from another step",
        cosine if cosine > 0.7 => "related: much trained on, or from another run of the same start",
        _ => "unrelated values",
    })
}

/// One element, or all that differs in one place of an axis.
fn of_one(seen: &Seen<'_>) -> Option<String> {
    let Seen { dims, listed, .. } = seen;
    let places = |at: usize| {
        let mut rest = at as u64;
        let mut place: Vec<u64> = dims
            .iter()
            .rev()
            .map(|dim| {
                let n = rest % (*dim).max(1);
                rest /= (*dim).max(1);
                n
            })
            .collect();
        place.reverse();
        place
    };
    let first = places(*listed.first()?);
    if let [_] = listed {
        let (dtype, a, b) = seen.both?;
        let size = usize::try_from(dtype.element_size()?).ok()?;
        let at = listed.first()?.checked_mul(size)?;
        let element = |bytes: &[u8]| Some(text(Element::decode(dtype, bytes.get(at..at + size)?)?));
        return Some(format!("one element differs: {} in A, {} in B at {first:?}", element(a)?, element(b)?));
    }
    for (axis, (place, dim)) in first.iter().zip(*dims).enumerate() {
        if *dim > 1 && listed.iter().all(|at| places(*at).get(axis) == Some(place)) {
            return Some(format!("only index {place} of axis {axis} differs, in {} elements", listed.len()));
        }
    }
    None
}

fn text(element: Element) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write_csv(element, &mut text);
    text
}

/// The numbers of both, if they are held and real.
fn pairs<'s>(seen: &Seen<'s>) -> Option<impl Iterator<Item = (f64, f64)> + use<'s>> {
    let (dtype, a, b) = seen.both?;
    let (a, b) = (Element::decode_all(dtype, a)?, Element::decode_all(dtype, b)?);
    Some(a.zip(b).map(|(a, b)| (parts(a)[0], parts(b)[0])))
}

/// The sign of everything, or a factor that all have.
fn factor(seen: &Seen<'_>) -> Option<String> {
    if seen.count < 2 {
        return None;
    }
    let (dtype, ..) = seen.both.filter(|(dtype, ..)| dtype.is_float())?;
    let (a, b) = pairs(seen)?.max_by(|x, y| x.0.abs().total_cmp(&y.0.abs()))?;
    let ratio = b / a;
    if !ratio.is_finite() || ratio == 0.0 {
        return None;
    }
    let within = match dtype {
        DType::Float64 => 1e-12,
        DType::Float32 => 1e-5,
        _ => 2e-2,
    };
    let is_so = pairs(seen)?.all(|(a, b)| (a * ratio - b).abs() <= within * b.abs().max(f64::MIN_POSITIVE));
    let told = pairs(seen)?.filter(|(a, _)| *a != 0.0).count();
    if !is_so || told < 2 {
        return None;
    }
    if (ratio + 1.0).abs() <= within {
        return Some("the sign of every element".to_owned());
    }
    Some(format!("likely the same times {ratio:.6}"))
}

/// Differences no larger than a cast to a narrow float and back leaves.
fn noise(seen: &Seen<'_>) -> Option<String> {
    let (dtype, ..) = seen.both?;
    if !matches!(dtype, DType::Float32 | DType::Float64) {
        return None;
    }
    let largest =
        pairs(seen)?.map(|(a, b)| if a == b { 0.0 } else { (a - b).abs() / a.abs().max(b.abs()) }).fold(0.0, f64::max);
    let steps = [(1.2e-7, "float32"), (4.9e-4, "float16"), (3.95e-3, "bfloat16")];
    let (_, name) = steps.into_iter().find(|(step, _)| largest <= *step)?;
    if name == "float32" && dtype == DType::Float32 {
        return Some("the last bit or two: the same up to the noise of arithmetic".to_owned());
    }
    Some(format!("no more than a cast to {name} and back leaves"))
}
