//! Opens a file with the program that the desktop has for it.

use std::path::Path;
use std::process::{Command, Stdio};

/// Whether a program was started.
pub fn open(path: &Path) -> bool {
    let programs: &[&str] = match std::env::consts::OS {
        "macos" => &["open"],
        "windows" => &["explorer"],
        _ => &["xdg-open", "gio"],
    };
    programs.iter().any(|program| {
        let mut command = Command::new(program);
        if *program == "gio" {
            command.arg("open");
        }
        command.arg(path).stdout(Stdio::null()).stderr(Stdio::null()).spawn().is_ok()
    })
}
