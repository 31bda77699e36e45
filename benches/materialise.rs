//! What an export of a 1 MB document costs.

fn main() {
    divan::main();
}
