//! Files behind URLs: a plain GET, redirects followed, nothing cached, nothing sent but the name of
//! the program. What the bytes are is for the caller to check.

use std::time::Duration;

use super::FilesError;

/// How long a server may take to answer, and between two parts of its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest file; a table of this size is no longer a table.
const LARGEST: u64 = 4 << 30;

/// The bytes behind a URL.
pub fn fetch(url: &str) -> Result<Vec<u8>, FilesError> {
    let agent = ureq::Agent::config_builder()
        .user_agent(concat!("restudy/", env!("CARGO_PKG_VERSION")))
        // A gzip file is to arrive as it lies there.
        .accept_encoding("identity")
        .timeout_connect(Some(Duration::from_secs(20)))
        .timeout_recv_response(Some(PATIENCE))
        .timeout_per_read(Some(PATIENCE))
        .build()
        .new_agent();
    let wrong = |error: ureq::Error| FilesError::Network {
        url: url.to_string(),
        why: match error {
            ureq::Error::StatusCode(404) => "the server knows no such file (404)".into(),
            ureq::Error::StatusCode(code) => format!("the server answers {code}"),
            ureq::Error::HostNotFound => "there is no such server, or no network".into(),
            ureq::Error::BodyExceedsLimit(_) => "the file is larger than 4 GB".into(),
            other => other.to_string(),
        },
    };
    let mut answer = agent.get(url).call().map_err(wrong)?;
    answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(wrong)
}
