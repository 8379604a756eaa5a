//! What is wrong with an operation where it stands, collected before anything is computed.

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
    /// The parameter at fault, if one is.
    pub parameter: Option<&'static str>,
    pub hint: Option<String>,
}

/// A list to which checks add. They report everything, not the first thing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Problems(Vec<Problem>);

impl Problems {
    /// Adds an error; its hint and parameter follow by chaining.
    pub fn error(&mut self, message: impl Into<String>) -> &mut Problem {
        self.0.push(Problem { message: message.into(), parameter: None, hint: None });
        self.0.last_mut().expect("one was just added")
    }

    pub fn into_vec(self) -> Vec<Problem> {
        self.0
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Problem {
    pub fn hint(&mut self, hint: impl Into<String>) -> &mut Self {
        self.hint = Some(hint.into());
        self
    }

    pub fn parameter(&mut self, name: &'static str) -> &mut Self {
        self.parameter = Some(name);
        self
    }
}
