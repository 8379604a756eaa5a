//! The program: everything is in the library.

use std::process::ExitCode;

// Plans and learners take and give back small pieces on every thread at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // A run that finds all in the store asks for many MiB once: zeroing pages of 2 MiB was half of its time.
    // It runs as well with them where the system refuses.
    #[cfg(target_os = "linux")]
    let _ = rustix::thread::disable_transparent_huge_pages(true);
    restudy::cli::main().into()
}
