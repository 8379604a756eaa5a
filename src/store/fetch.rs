//! Files behind URLs: a plain GET, redirects followed, nothing cached, nothing sent but the name of
//! the program. What the bytes are is for the caller to check.

use std::io::ErrorKind;
use std::time::Duration;

use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

use super::FilesError;

/// How long a server may take to answer, and between two parts of its answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// The longest file; a table of this size is no longer a table.
const LARGEST: u64 = 4 << 30;

/// Names a PEM file with the authorities that are trusted instead of the public ones, as many programs
/// read it: a hospital's network often opens connections and signs them itself.
const AUTHORITIES: &str = "SSL_CERT_FILE";

/// The bytes behind a URL.
pub fn fetch(url: &str) -> Result<Vec<u8>, FilesError> {
    let trusted = TlsConfig::builder().root_certs(authorities(url)?).build();
    let agent = ureq::Agent::config_builder()
        .tls_config(trusted)
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
            // What is said of certificates arrives as data that mean nothing.
            ureq::Error::Io(error) if error.kind() == ErrorKind::InvalidData => format!(
                "the connection is not to be trusted ({error}); where the network signs connections \
                 itself, {AUTHORITIES} has to name the file of its authorities"
            ),
            other => other.to_string(),
        },
    };
    let mut answer = agent.get(url).call().map_err(wrong)?;
    answer.body_mut().with_config().limit(LARGEST).read_to_vec().map_err(wrong)
}

/// The authorities that this machine trusts, else the public ones.
fn authorities(url: &str) -> Result<RootCerts, FilesError> {
    let Some(path) = std::env::var_os(AUTHORITIES).filter(|path| !path.is_empty()) else {
        return Ok(RootCerts::WebPki);
    };
    let wrong = |why: String| FilesError::Network {
        url: url.to_string(),
        why: format!("{AUTHORITIES} names {}: {why}", path.display()),
    };
    let pem = std::fs::read(&path).map_err(|error| wrong(error.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) =
            item.map_err(|e| wrong(e.to_string()))?
        {
            certificates.push(certificate);
        }
    }
    match certificates.is_empty() {
        true => Err(wrong("it holds no certificate".into())),
        false => Ok(RootCerts::from(certificates.into_iter())),
    }
}
