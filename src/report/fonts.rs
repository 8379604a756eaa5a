//! The two typefaces, in the page itself: it makes no request. Licences lie beside the files.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// Family, style, weights and file.
const FONTS: [(&str, &str, &str, &[u8]); 3] = [
    (
        "Source Serif",
        "normal",
        "200 900",
        include_bytes!("../../templates/fonts/source-serif-4.woff2"),
    ),
    (
        "Source Serif",
        "italic",
        "200 900",
        include_bytes!("../../templates/fonts/source-serif-4-italic.woff2"),
    ),
    ("Inter", "normal", "100 900", include_bytes!("../../templates/fonts/inter.woff2")),
];

/// The style rules that bring the fonts in.
pub fn style() -> String {
    let rule = |(family, style, weight, bytes): &(&str, &str, &str, &[u8])| {
        format!(
            "@font-face{{font-family:\"{family}\";font-style:{style};font-weight:{weight};\
             src:url(data:font/woff2;base64,{}) format(\"woff2\")}}",
            STANDARD.encode(bytes)
        )
    };
    FONTS.iter().map(rule).collect()
}
