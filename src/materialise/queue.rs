//! The line of exports before the lanes.
//!
//! Pure: jobs, lanes and keys in, placements out. It promises that a lane has one job at a time, that a document is in work
//! at most once, that the oldest job that can run runs first, and that no more wait than allowed.

use std::collections::{HashMap, HashSet, VecDeque};

use super::export::DocumentKey;

/// Jobs of some kind on their way to lanes.
#[derive(Debug)]
pub(super) struct Queue<J> {
    lanes: Vec<Lane>,
    /// Documents in work, in a lane or in isolation.
    running: HashSet<DocumentKey>,
    /// The lane that had a document last: it may still be loaded there.
    homes: HashMap<DocumentKey, usize>,
    waiting: VecDeque<(DocumentKey, J)>,
    bound: usize,
    closed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lane {
    Idle,
    Busy,
}

/// What became of a submitted job.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    /// It runs or will.
    Queued,
    /// Too many wait.
    Full,
    /// The queue is closed.
    Closed,
}

impl<J> Queue<J> {
    /// A queue before `lanes` idle lanes, in which `bound` jobs may wait.
    pub(super) fn new(lanes: usize, bound: usize) -> Self {
        Self {
            lanes: vec![Lane::Idle; lanes],
            running: HashSet::new(),
            homes: HashMap::new(),
            waiting: VecDeque::new(),
            bound,
            closed: false,
        }
    }

    /// Takes a job. Those that `stale` says nobody waits for make room first. Call [`place`](Self::place) next.
    pub(super) fn submit(&mut self, key: DocumentKey, job: J, stale: impl Fn(&J) -> bool) -> Submitted {
        if self.closed {
            return Submitted::Closed;
        }
        let runs_at_once = self.lanes.contains(&Lane::Idle) && !self.running.contains(&key);
        if !runs_at_once && self.waiting.len() >= self.bound {
            self.waiting.retain(|(_, job)| !stale(job));
            if self.waiting.len() >= self.bound {
                return Submitted::Full;
            }
        }
        self.waiting.push_back((key, job));
        Submitted::Queued
    }

    /// A lane has nothing to do. Call [`place`](Self::place) next.
    pub(super) fn idle(&mut self, lane: usize) {
        if let Some(state) = self.lanes.get_mut(lane) {
            *state = Lane::Idle;
        }
    }

    /// A document is no longer in work. Call [`place`](Self::place) next.
    pub(super) fn settled(&mut self, key: &DocumentKey) {
        self.running.remove(key);
    }

    /// The next job that can run and the lane where: the document's last one when that is idle, else any.
    pub(super) fn place(&mut self) -> Option<(usize, J)> {
        let first_idle = self.lanes.iter().position(|lane| *lane == Lane::Idle)?;
        let index = self.waiting.iter().position(|(key, _)| !self.running.contains(key))?;
        let (key, job) = self.waiting.remove(index)?;
        let home = self.homes.get(&key).copied().filter(|lane| self.lanes.get(*lane) == Some(&Lane::Idle));
        let lane = home.unwrap_or(first_idle);
        if let Some(state) = self.lanes.get_mut(lane) {
            *state = Lane::Busy;
        }
        if self.homes.len() >= HOMES {
            self.homes.clear();
        }
        self.homes.insert(key.clone(), lane);
        self.running.insert(key);
        Some((lane, job))
    }

    /// Refuses new jobs and gives back those that wait.
    pub(super) fn close(&mut self) -> Vec<J> {
        self.closed = true;
        self.waiting.drain(..).map(|(_, job)| job).collect()
    }
}

/// Homes remembered; beyond it they are all forgotten, which costs a load each.
const HOMES: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{DocName, Generation};

    fn key(name: &str) -> DocumentKey {
        DocumentKey { name: DocName::parse(name).expect("a name"), generation: Generation::FIRST }
    }

    fn submit(queue: &mut Queue<u32>, name: &str, job: u32) -> Submitted {
        queue.submit(key(name), job, |job| *job >= 100)
    }

    #[test]
    fn a_document_runs_once_at_a_time_and_others_pass_it() {
        let mut queue = Queue::new(2, 10);
        for (name, job) in [("a", 1), ("a", 2), ("b", 3)] {
            assert_eq!(submit(&mut queue, name, job), Submitted::Queued);
        }
        assert_eq!(queue.place(), Some((0, 1)));
        assert_eq!(queue.place(), Some((1, 3)));
        assert_eq!(queue.place(), None);
        queue.idle(1);
        assert_eq!(queue.place(), None);
        queue.settled(&key("a"));
        assert_eq!(queue.place(), Some((1, 2)));
    }

    #[test]
    fn a_document_returns_to_its_lane_when_that_is_idle() {
        let mut queue = Queue::new(2, 10);
        submit(&mut queue, "a", 1);
        submit(&mut queue, "b", 2);
        assert_eq!(queue.place(), Some((0, 1)));
        assert_eq!(queue.place(), Some((1, 2)));
        for lane in [0, 1] {
            queue.idle(lane);
        }
        queue.settled(&key("b"));
        submit(&mut queue, "b", 3);
        assert_eq!(queue.place(), Some((1, 3)));
    }

    #[test]
    fn a_full_queue_refuses_unless_a_job_has_gone_stale() {
        let mut queue = Queue::new(1, 2);
        submit(&mut queue, "a", 1);
        assert_eq!(queue.place(), Some((0, 1)));
        assert_eq!(submit(&mut queue, "b", 2), Submitted::Queued);
        assert_eq!(submit(&mut queue, "c", 100), Submitted::Queued);
        assert_eq!(submit(&mut queue, "d", 4), Submitted::Queued);
        assert_eq!(submit(&mut queue, "e", 5), Submitted::Full);
        assert_eq!(queue.close(), [2, 4]);
        assert_eq!(submit(&mut queue, "f", 6), Submitted::Closed);
    }
}
