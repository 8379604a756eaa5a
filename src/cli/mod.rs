//! What can I type? One file per command; all printing lives here.

// Macros because they stand for those of the standard library, which panic once nobody reads any more:
// then the rest is not said, and a command ends as it would have.
macro_rules! print {
    ($($words:tt)*) => { super::say::out(format_args!($($words)*)) };
}
macro_rules! println {
    ($($words:tt)*) => { super::say::out(format_args!("{}\n", format_args!($($words)*))) };
}
macro_rules! eprintln {
    ($($words:tt)*) => { super::say::err(format_args!("{}\n", format_args!($($words)*))) };
}

pub mod check;
mod checked;
mod exit;
mod finished;
mod init;
pub mod load;
mod locked;
pub mod ops;
mod output;
pub mod plan;
mod predict;
pub mod report;
pub mod run;
mod say;
mod schema;
mod store;
mod whole;
pub mod why;

pub use exit::Exit;
pub use load::{Loaded, Opened, Places, draw, load, open};

use clap::{Parser, Subcommand};

/// Write, run, review and compare radiogenomics studies
#[derive(Debug, Parser)]
#[command(name = "restudy", version, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Check(check::Check),
    Plan(plan::Args),
    Run(run::Run),
    Why(why::Why),
    Report(report::Report),
    Predict(predict::Predict),
    Ops(ops::Ops),
    Schema(schema::Schema),
    Store(store::Args),
}

/// Does what the command line says.
pub fn main() -> Exit {
    let tell = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if !crate::tables::is_reading_parquet() {
            tell(panic);
        }
    }));
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are answers, not mistakes.
            let exit = if error.use_stderr() { Exit::Change } else { Exit::Fine };
            drop(error.print());
            return exit;
        }
    };
    match cli.command {
        Command::Init(args) => init::run(&args),
        Command::Check(args) => check::run(&args),
        Command::Plan(args) => plan::run(&args),
        Command::Run(args) => run::run(&args),
        Command::Why(args) => why::run(&args),
        Command::Report(args) => report::run(&args),
        Command::Predict(args) => predict::run(&args),
        Command::Ops(args) => ops::run(&args),
        Command::Schema(args) => schema::run(&args),
        Command::Store(args) => store::run(&args),
    }
}
