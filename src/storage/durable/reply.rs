//! How a write is answered: alone, or together with others that one caller waits for.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::batch::Answer;

/// Where the answer to one write goes.
#[derive(Debug)]
pub(super) enum Reply {
    /// To a caller who waits for this one.
    Alone(oneshot::Sender<Answer>),
    /// To a caller who waits for several.
    Together(Arc<Together>, usize),
}

/// The answers to several writes: sent when the last of them has been given, or dropped.
#[derive(Debug)]
pub(super) struct Together {
    answers: Mutex<Vec<Option<Answer>>>,
    waiting: Option<oneshot::Sender<Vec<Option<Answer>>>>,
}

impl Reply {
    /// Which of several it answers.
    pub(super) const fn place(&self) -> Option<usize> {
        match self {
            Self::Alone(_) => None,
            Self::Together(_, at) => Some(*at),
        }
    }

    /// Gives the answer. Whoever no longer waits has lost interest in it, not in the write.
    pub(super) fn give(self, answer: Answer) {
        match self {
            Self::Alone(waiting) => {
                let _nobody_waits = waiting.send(answer).is_err();
            }
            Self::Together(together, at) => together.note(at, answer),
        }
    }
}

impl Together {
    /// Answers for so many writes; one that is dropped unanswered is `None`.
    pub(super) fn new(count: usize) -> (Arc<Self>, oneshot::Receiver<Vec<Option<Answer>>>) {
        let (waiting, answered) = oneshot::channel();
        let answers = std::iter::repeat_with(|| None).take(count).collect();
        (Arc::new(Self { answers: Mutex::new(answers), waiting: Some(waiting) }), answered)
    }

    pub(super) fn note(&self, at: usize, answer: Answer) {
        if let Some(place) = self.answers.lock().unwrap_or_else(PoisonError::into_inner).get_mut(at) {
            *place = Some(answer);
        }
    }
}

impl Drop for Together {
    fn drop(&mut self) {
        let answers = std::mem::take(self.answers.get_mut().unwrap_or_else(PoisonError::into_inner));
        if let Some(waiting) = self.waiting.take() {
            let _nobody_waits = waiting.send(answers).is_err();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::StoreError;

    #[tokio::test]
    async fn several_answers_come_together_in_order_and_what_was_dropped_is_none() {
        let (together, answered) = Together::new(3);
        let replies = [2, 0, 1].map(|at| Reply::Together(Arc::clone(&together), at));
        drop(together);
        let [third, first, second] = replies;
        third.give(Ok(3));
        first.give(Err(StoreError::Closed));
        drop(second);
        let answers = answered.await.unwrap();
        assert!(matches!(answers.as_slice(), [Some(Err(StoreError::Closed)), None, Some(Ok(3))]), "{answers:?}");
    }
}
