//! How far a command is: a bar on a terminal, else a line every few seconds.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use tokio::time::Instant;

use super::output::{count, remark, size};
use crate::upkeep::{Progress, Step};

/// Shows on stderr how far a command is. What it shows is gone from a terminal when it ends.
#[derive(Debug)]
pub(super) struct Display {
    bar: Option<ProgressBar>,
    told: Instant,
    step: Option<Step>,
}

impl Display {
    pub(super) fn start() -> Self {
        let bar = io::stderr().is_terminal().then(|| {
            let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
            if let Ok(style) = ProgressStyle::with_template(TEMPLATE) {
                bar.set_style(style.progress_chars("━╸─"));
            }
            bar
        });
        Self { bar, told: Instant::now(), step: None }
    }

    pub(super) fn show(&mut self, progress: Progress) {
        match &self.bar {
            Some(bar) => {
                if self.step.replace(progress.step) != Some(progress.step) {
                    bar.set_prefix(doing(progress.step));
                }
                bar.set_length(progress.of_bytes.max(progress.bytes).max(1));
                bar.set_position(progress.bytes);
                bar.set_message(text(&progress));
            }
            None if self.told.elapsed() >= PACE => {
                self.told = Instant::now();
                remark(format_args!("{}: {}", doing(progress.step), text(&progress)));
            }
            None => {}
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

const fn doing(step: Step) -> &'static str {
    match step {
        Step::Read => "reading",
        Step::Decode => "decoding",
        Step::Merge => "merging",
        Step::Shrink => "shrinking the file",
        Step::Copy => "copying",
    }
}

fn text(progress: &Progress) -> String {
    let Progress { names, of_names, bytes, of_bytes, .. } = *progress;
    match (names, of_names) {
        (0, 0) => String::new(),
        (names, 0) => format!("{}, {}", count(names, "document"), size(bytes)),
        (names, _) => {
            format!("{names} of {}, {} of {}", count(of_names.max(names), "document"), size(bytes), size(of_bytes))
        }
    }
}

const TEMPLATE: &str = "{prefix} {bar:24} {msg}";
/// Without a terminal, a line at most once in this time.
const PACE: Duration = Duration::from_secs(5);
