//! Numbers as text, with all their digits.

/// A number with all its digits, by a power of ten where it would take a line of noughts.
pub fn decimal(value: f64) -> String {
    let plain = value == 0.0 || (1e-6..1e16).contains(&value.abs());
    if plain { value.to_string() } else { format!("{value:e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_written_without_a_line_of_noughts() {
        for (value, text) in [
            (1e300, "1e300"),
            (-2.5e-320, "-2.5e-320"),
            (0.0, "0"),
            (1234.5, "1234.5"),
            (-0.000_012_5, "-0.0000125"),
            (2.5e16, "2.5e16"),
            (f64::EPSILON / 2.0, "1.1102230246251565e-16"),
        ] {
            assert_eq!(decimal(value), text);
            assert_eq!(text.parse(), Ok(value));
        }
    }
}
