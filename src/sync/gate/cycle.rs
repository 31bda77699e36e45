//! Cycles: sections of one update that wait for each other can never go on, so no honest client wrote them.
//!
//! What a client made refers only to what it had, so references always lead back in time.

use std::collections::BTreeMap;

use super::Refusal;
use super::round::Blocked;
use crate::sync::block::Body;

/// Refuses sections that need each other in a circle.
pub(super) fn refuse<'a, 'u: 'a>(blocked: impl Iterator<Item = &'a Blocked<'u>>) -> Result<(), Refusal> {
    let mut nodes: BTreeMap<_, _> = blocked.map(|blocked| (blocked.section.client, Node::new(blocked))).collect();
    let clients: Vec<_> = nodes.keys().copied().collect();
    for (path, start) in clients.into_iter().enumerate() {
        let mut at = Some(start);
        while let Some(client) = at {
            let Some(node) = nodes.get_mut(&client) else { break };
            match node.seen_on_path {
                Some(seen) if seen == path => return Err(Refusal::Cycle),
                Some(_) => break,
                None => node.seen_on_path = Some(path),
            }
            let needs = node.blocked.needs;
            at = needs
                .filter(|id| nodes.get_mut(&id.client).is_some_and(|node| node.holds(id.clock)))
                .map(|id| id.client);
        }
    }
    Ok(())
}

struct Node<'a, 'u> {
    blocked: &'a Blocked<'u>,
    /// The clocks in the rest of the section, once they are asked for.
    clocks: Option<Vec<(u32, u32)>>,
    /// The number of the path that came along here.
    seen_on_path: Option<usize>,
}

impl<'a, 'u> Node<'a, 'u> {
    fn new(blocked: &'a Blocked<'u>) -> Self {
        Self { blocked, clocks: None, seen_on_path: None }
    }

    /// Whether the rest of the section has this clock, and not as a skip.
    fn holds(&mut self, clock: u32) -> bool {
        let clocks = self.clocks.get_or_insert_with(|| {
            let mut clocks: Vec<(u32, u32)> = Vec::new();
            for block in self.blocked.section.clone().filter(|block| !matches!(block.body, Body::Skip)) {
                match clocks.last_mut() {
                    Some((_, end)) if *end == block.id.clock => *end = block.end(),
                    _ => clocks.push((block.id.clock, block.end())),
                }
            }
            clocks
        });
        let after = clocks.partition_point(|(start, _)| *start <= clock);
        after.checked_sub(1).and_then(|at| clocks.get(at)).is_some_and(|(_, end)| clock < *end)
    }
}
