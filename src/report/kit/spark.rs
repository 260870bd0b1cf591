//! A few numbers over time as a line of blocks.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// How many columns a line has at most; of more numbers the last.
const MOST: usize = 24;

/// Numbers by the logarithm of their size, `·` where there is none, the lowest block for 0.
pub(in crate::report) fn sparkline(numbers: &[Option<f64>]) -> String {
    let shown = numbers.get(numbers.len().saturating_sub(MOST)..).unwrap_or_default();
    let logs =
        || shown.iter().flatten().filter(|number| **number > 0.0 && number.is_finite()).map(|number| number.ln());
    let (low, high) = logs().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), log| (low.min(log), high.max(log)));
    // What differs by less than a tenth is drawn as level.
    let span = (high - low).max(0.8);
    let middle = f64::midpoint(low, high);
    let block = |number: &Option<f64>| match number {
        None => '·',
        Some(number) if *number <= 0.0 => '▁',
        Some(number) if !number.is_finite() => '█',
        Some(number) => {
            let share = (number.ln() - middle) / span + 0.5;
            let at = BLOCKS
                .iter()
                .enumerate()
                .skip(1)
                .find(|(at, _)| share * 8.0 < f64::from(u8::try_from(*at).unwrap_or(0)) + 0.001);
            at.map_or('█', |(at, _)| BLOCKS.get(at.saturating_sub(1)).copied().unwrap_or('█'))
        }
    };
    shown.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::sparkline;

    #[test]
    fn lines_follow_the_size_of_numbers() {
        assert_eq!(sparkline(&[Some(1e-4), Some(1e-3), Some(1e-2), Some(1e-1)]), "▁▃▆█");
        assert_eq!(sparkline(&[Some(0.5), None, Some(0.5)]), "▄·▄");
        assert_eq!(sparkline(&[Some(0.0), Some(1.0), Some(f64::INFINITY)]), "▁▄█");
        assert_eq!(sparkline(&[]), "");
        assert_eq!(sparkline(&[Some(1.0); 100]).chars().count(), 24);
    }
}
