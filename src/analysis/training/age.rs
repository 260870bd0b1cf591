//! How many updates the optimizers of a checkpoint have made, by their own count.
//!
//! Optimizers of Keras count in `iterations`, those of `tf.compat.v1` do not; of them Adam has powers of its betas. A
//! checksum of four bytes is their value, so the index alone tells, also where the data is missing.

use super::powers::{Powers, counted};
use crate::analysis::derived::{derived, is_missing};
use crate::analysis::naming::roles::short_name;
use crate::analysis::survey::step::{MOST_STEPS, is_optimizer_count};
use crate::base::escape::escaped;
use crate::read::checkpoint::{Checkpoint, Tensor};
use crate::read::tensor::{Checked, DType, decimal};

/// The count of one optimizer.
#[derive(Clone, Debug, PartialEq)]
pub struct OptimizerAge {
    /// What tells optimizers of one checkpoint apart: the scope of the tensors that count. Escaped; empty at the top.
    pub scope: String,
    /// Updates that it has made since it was created.
    pub updates: u64,
    /// Whether more may have been made: a power of beta has become 0.
    pub at_least: bool,
    /// What says so, in the words of the checkpoint. Escaped.
    pub by: String,
    /// beta₁ (`None` if it has become 0, as that of several would) and beta₂, where their powers are what counts.
    pub betas: Option<(Option<f64>, f64)>,
    /// The learning rate that it had when it was saved, where it is a variable.
    pub learning_rate: Option<f64>,
}

/// No more optimizers than these are told of.
const MOST: usize = 16;

impl OptimizerAge {
    /// The counts of all optimizers in a checkpoint, by scope. Takes values from checksums, and reads those numbers of
    /// which the index has none.
    pub fn all(checkpoint: &Checkpoint) -> Vec<Self> {
        let mut ages = Vec::new();
        let mut powers: Vec<(Vec<u8>, Tensor)> = Vec::new();
        let mut rates: Vec<(String, f64)> = Vec::new();
        let mut cursor = checkpoint.tensors().cursor();
        while let Some((_, tensor)) = cursor.advance() {
            if tensor.elements() != Some(1) {
                continue;
            }
            let name = short_name(&tensor.name);
            if let Some(scope) = scope_of_rate(name).filter(|_| tensor.dtype == DType::Float32 && rates.len() < MOST) {
                rates.extend(float(checkpoint, tensor).map(|rate| (escaped(scope).into_owned(), decimal(rate))));
                continue;
            }
            if is_optimizer_count(name, tensor.dtype) || is_count_beside_rate(checkpoint, tensor) {
                ages.extend(counter(checkpoint, tensor, name));
            } else if let Some(scope) = scope_of_power(name).filter(|_| tensor.dtype.is_float()) {
                powers.push((scope, tensor.clone()));
            }
            if ages.len().saturating_add(powers.len()) > MOST.saturating_mul(4) {
                break;
            }
        }
        powers.sort_by(|a, b| (&a.0, &a.1.name).cmp(&(&b.0, &b.1.name)));
        for pair in powers.chunk_by(|a, b| a.0 == b.0) {
            let [(scope, first), (_, second)] = pair else { continue };
            let values = float(checkpoint, first).zip(float(checkpoint, second));
            let Some(Powers { beta1, beta2, updates, at_least }) = values.and_then(|(a, b)| counted(a, b)) else {
                continue;
            };
            let by = |tensor: &Tensor| escaped(short_name(&tensor.name)).into_owned();
            ages.push(Self {
                scope: escaped(scope).into_owned(),
                updates,
                at_least,
                by: format!("{} and {}", by(first), by(second)),
                betas: Some((beta1.map(decimal), decimal(beta2))),
                learning_rate: None,
            });
        }
        for (scope, rate) in rates {
            for age in ages.iter_mut().filter(|age| age.scope == scope) {
                age.learning_rate = Some(rate);
            }
        }
        ages.sort_by(|a, b| a.scope.cmp(&b.scope));
        // What scales the loss counts steps too; the optimizer inside of it makes the updates.
        let scopes: Vec<String> = ages.iter().map(|age| age.scope.clone()).collect();
        let has_inner = |scope: &str| {
            scopes.iter().any(|other| other.strip_prefix(scope).is_some_and(|rest| rest.starts_with('/')))
        };
        ages.retain(|age| age.scope.is_empty() || !has_inner(&age.scope));
        ages.truncate(MOST);
        ages
    }

    /// The one number that all optimizers tell, if they agree.
    pub fn common(ages: &[Self]) -> Option<u64> {
        let (first, rest) = ages.split_first()?;
        rest.iter().all(|age| age.updates == first.updates).then_some(first.updates)
    }
}

/// A count in a tensor of one integer.
fn counter(checkpoint: &Checkpoint, tensor: &Tensor, name: &[u8]) -> Option<OptimizerAge> {
    let by_checksum = derived(checkpoint, tensor).and_then(|derived| u64::try_from(derived.integer()?).ok());
    let updates = by_checksum.filter(|number| *number <= MOST_STEPS).or_else(|| integer(checkpoint, tensor))?;
    let scope = name.iter().rposition(|byte| *byte == b'/').and_then(|at| name.get(..at)).unwrap_or_default();
    Some(OptimizerAge {
        scope: escaped(scope).into_owned(),
        updates,
        at_least: false,
        by: escaped(name).into_owned(),
        betas: None,
        learning_rate: None,
    })
}

/// `train/beta1_power_1` → `train_1`: the scope and number that the two powers of one optimizer share.
fn scope_of_power(name: &[u8]) -> Option<Vec<u8>> {
    let name = name.strip_suffix(b":0").unwrap_or(name);
    let at = name.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at.saturating_add(1));
    let (scope, last) = name.split_at_checked(at)?;
    let number = [&b"beta1_power"[..], b"beta2_power"].iter().find_map(|power| last.strip_prefix(*power))?;
    let is_number = |digits: &[u8]| !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    let is_one = number.is_empty() || number.strip_prefix(b"_").is_some_and(is_number);
    is_one.then(|| [scope.strip_suffix(b"/").unwrap_or(scope), number].concat())
}

/// The scope of an optimizer whose learning rate a tensor is called as.
fn scope_of_rate(name: &[u8]) -> Option<&[u8]> {
    let at = name.iter().rposition(|byte| *byte == b'/')?;
    let (scope, last) = name.split_at_checked(at)?;
    matches!(last, b"/learning_rate" | b"/_learning_rate" | b"/_current_learning_rate").then_some(scope)
}

/// Whether a tensor is the count of an optimizer that is an attribute of any name: only Keras calls one so, or has a
/// learning rate beside it.
fn is_count_beside_rate(checkpoint: &Checkpoint, tensor: &Tensor) -> bool {
    let name = short_name(&tensor.name);
    let Some((scope, last)) = name.iter().rposition(|byte| *byte == b'/').and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    let end = tensor.name.get(name.len()..).unwrap_or_default();
    let exists = |rate: &[u8]| checkpoint.tensor(&[scope, rate, end].concat()).is_some();
    tensor.dtype.is_integer()
        && match last {
            b"/_iterations" => true,
            b"/iter" | b"/iterations" | b"/iteration" => exists(b"/learning_rate") || exists(b"/_learning_rate"),
            _ => false,
        }
}

fn bytes(checkpoint: &Checkpoint, tensor: &Tensor) -> Option<Vec<u8>> {
    if is_missing(checkpoint, tensor) {
        return None;
    }
    let mut bytes = Vec::new();
    let checked = checkpoint.read_all(tensor, &mut |part| {
        bytes.extend_from_slice(part);
        Ok(())
    });
    matches!(checked, Ok(Checked::Verified | Checked::Not)).then_some(bytes)
}

fn integer(checkpoint: &Checkpoint, tensor: &Tensor) -> Option<u64> {
    let bytes = bytes(checkpoint, tensor)?;
    match tensor.dtype {
        DType::Int64 => u64::try_from(i64::from_le_bytes(bytes.try_into().ok()?)).ok(),
        DType::Int32 => u64::try_from(i32::from_le_bytes(bytes.try_into().ok()?)).ok(),
        _ => None,
    }
    .filter(|number| *number <= MOST_STEPS)
}

/// A number that an optimizer keeps beside its count: `beta_2`, `rho`.
pub(super) fn hyper(checkpoint: &Checkpoint, scope: &str, name: &str) -> Option<f64> {
    let plain = if scope.is_empty() { name.to_owned() } else { format!("{scope}/{name}") };
    let key = format!("{plain}/.ATTRIBUTES/VARIABLE_VALUE");
    let tensor = checkpoint.tensor(key.as_bytes()).or_else(|| checkpoint.tensor(plain.as_bytes()))?;
    float(checkpoint, &tensor).map(decimal)
}

/// A number in float32; those of other types say too little.
fn float(checkpoint: &Checkpoint, tensor: &Tensor) -> Option<f32> {
    if tensor.dtype != DType::Float32 {
        return None;
    }
    let by_checksum = derived(checkpoint, tensor).filter(|derived| derived.certain);
    let bytes = by_checksum.map(|derived| derived.bytes.to_vec()).or_else(|| bytes(checkpoint, tensor))?;
    Some(f32::from_le_bytes(*bytes.first_chunk()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_powers_of_one_optimizer_share_scope_and_number() {
        let scope = |name: &str| scope_of_power(name.as_bytes()).map(|scope| String::from_utf8(scope).unwrap());
        assert_eq!(scope("beta1_power").as_deref(), Some(""));
        assert_eq!(scope("train/beta2_power").as_deref(), Some("train"));
        assert_eq!(scope("train/beta2_power_1:0").as_deref(), Some("train_1"));
        for name in ["beta1", "beta1_power_x", "beta1_powers", "beta1_power/Adam"] {
            assert_eq!(scope(name), None, "{name}");
        }
    }
}
