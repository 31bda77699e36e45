//! The table that people read: a row as soon as it is known, then what was broken.

use crate::plan::{Length, Plan};
use crate::tally::Tally;

/// What a run says about one fault and one store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Conclusion {
    Kept,
    /// Broken, and the store never promised it.
    Reported,
    Broken,
    Skipped,
}

/// One line of the table.
pub(crate) struct Row<'a> {
    pub(crate) store: String,
    pub(crate) fault: &'a str,
    pub(crate) seconds: f64,
    pub(crate) conclusion: Conclusion,
    pub(crate) tally: &'a Tally,
}

pub(crate) fn print_head(plan: &Plan) {
    let length = match plan.length {
        Length::Short => "short form (make faults runs the long one)",
        Length::Long => "long form",
    };
    println!("faults, {length}; YDOCK_FAULTS_SEED={} repeats this run", plan.seed);
    println!();
    println!(
        "{:6} {:25} {:>6} {:>12} {:>5} {:>5} {:>6} {:>7} {:>6} {:>5} {:>7}",
        "store", "fault", "rounds", "acknowledged", "lost", "torn", "silent", "refused", "panics", "hangs", "seconds"
    );
}

/// Prints a row and what belongs to it at once, whoever else prints.
pub(crate) fn print(row: &Row<'_>) {
    let Row { store, fault, seconds, conclusion, tally } = row;
    let Tally { rounds, acknowledged, lost, torn, silent, refused, panics, hangs, .. } = tally;
    let word = match conclusion {
        Conclusion::Kept => "kept",
        Conclusion::Reported => "not promised",
        Conclusion::Broken => "BROKEN",
        Conclusion::Skipped => "skipped",
    };
    let mut lines = vec![format!(
        "{store:6} {fault:25} {rounds:>6} {acknowledged:>12} {lost:>5} {torn:>5} {silent:>6} {refused:>7} {panics:>6} {hangs:>5} {seconds:>7.1}  {word}"
    )];
    lines.extend(tally.skipped.iter().chain(&tally.notes).map(|note| format!("         {note}")));
    lines.extend(tally.broken.iter().take(MOST_BROKEN).map(|what| format!("       ! {what}")));
    if tally.broken.len() > MOST_BROKEN {
        lines.push(format!("       ! and {} more", tally.broken.len() - MOST_BROKEN));
    }
    println!("{}", lines.join("\n"));
}

pub(crate) fn print_legend() {
    println!();
    println!(
        "rounds: faults injected; acknowledged: updates that were promised before; lost: of these, gone without an error;"
    );
    println!(
        "torn: batches or documents of which a part is there; silent: rounds with missing or altered data and no error;"
    );
    println!(
        "refused: rounds in which an error named what cannot be read, which only damage may cause; hangs: had to be ended"
    );
}

/// Beyond so many, one more of the same tells nothing.
const MOST_BROKEN: usize = 40;
