//! A parameter that is one text or several.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One text or several; written either way, it is the same value.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(from = "Written", into = "Vec<String>")]
#[schemars(with = "Written")]
pub struct Names(pub Vec<String>);

#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl From<Written> for Names {
    fn from(written: Written) -> Self {
        Self(match written {
            Written::One(name) => vec![name],
            Written::Several(names) => names,
        })
    }
}

impl From<Names> for Vec<String> {
    fn from(names: Names) -> Self {
        names.0
    }
}

#[cfg(test)]
mod tests {
    use super::Names;

    #[test]
    fn one_is_a_list_of_one() {
        let read = |text: &str| serde_json::from_str::<Names>(text).unwrap();
        assert_eq!(read("\"a\""), read("[\"a\"]"));
        assert_eq!(serde_json::to_string(&read("\"a\"")).unwrap(), "[\"a\"]");
    }
}
