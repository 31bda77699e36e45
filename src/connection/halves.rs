//! Two futures in one task, of which the second is polled only when something woke it.
//!
//! A connection reads far more often than its writer has anything to do, and to ask the writer means to look at its timers,
//! its outbox and the server's stop each time.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use futures_util::task::AtomicWaker;

/// Waits for the first of two futures. The first is polled whenever the task is, the second when it was woken itself.
///
/// They are pinned by the caller, as a future that is handed over by value takes its space twice.
pub(super) async fn first_of<T, Often, Seldom>(mut often: Pin<&mut Often>, mut seldom: Pin<&mut Seldom>) -> T
where
    Often: Future<Output = T>,
    Seldom: Future<Output = T>,
{
    let half = Arc::new(Half { task: AtomicWaker::new(), woken: AtomicBool::new(true) });
    let waker = Waker::from(Arc::clone(&half));
    std::future::poll_fn(|context| {
        if let Poll::Ready(outcome) = often.as_mut().poll(context) {
            return Poll::Ready(outcome);
        }
        // Registered first, so that whoever wakes it after the look below wakes the task.
        half.task.register(context.waker());
        if half.woken.swap(false, Ordering::AcqRel) {
            return seldom.as_mut().poll(&mut Context::from_waker(&waker));
        }
        Poll::Pending
    })
    .await
}

#[derive(Debug)]
struct Half {
    task: AtomicWaker,
    woken: AtomicBool,
}

impl Wake for Half {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.task.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::AtomicUsize;

    use tokio::sync::Notify;

    use super::*;

    #[tokio::test]
    async fn the_second_is_polled_when_it_was_woken_and_not_with_the_first() {
        let (ticks, call, polls) = (Notify::new(), Notify::new(), AtomicUsize::new(0));
        let often = async {
            loop {
                ticks.notified().await;
            }
        };
        let seldom = async {
            let mut called = pin!(call.notified());
            std::future::poll_fn(|context| {
                polls.fetch_add(1, Ordering::Relaxed);
                called.as_mut().poll(context)
            })
            .await;
            "called"
        };
        let caller = async {
            for _ in 0..10 {
                ticks.notify_one();
                tokio::task::yield_now().await;
            }
            assert_eq!(polls.load(Ordering::Relaxed), 1);
            call.notify_one();
        };
        let (often, seldom) = (pin!(often), pin!(seldom));
        let (outcome, ()) = tokio::join!(first_of(often, seldom), caller);
        assert_eq!(outcome, "called");
        assert_eq!(polls.load(Ordering::Relaxed), 2);
    }

    #[tokio::test]
    async fn the_first_may_end_it_too() {
        let (one, never) = (pin!(std::future::ready(1)), pin!(std::future::pending()));
        let outcome = first_of(one, never).await;
        assert_eq!(outcome, 1);
    }
}
