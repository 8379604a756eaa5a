//! The program: everything is in the library.

use std::process::ExitCode;

// Plans and learners take and give back small pieces on every thread at once.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    restudy::cli::main().into()
}
