//! What the log says, for twins that write to it as the snippets write to the console.

use std::cell::RefCell;
use std::io;
use std::sync::{Arc, Mutex, Once};
use std::time::Duration;

/// The log of this thread, and so of the test's whole runtime, until it is dropped.
///
/// One subscriber serves all tests: with one a test, those that end take lines from those that run.
pub(crate) struct Log {
    text: Arc<Mutex<Vec<u8>>>,
}

thread_local! {
    static TEXT: RefCell<Option<Arc<Mutex<Vec<u8>>>>> = const { RefCell::new(None) };
}

/// Writes to the log of the thread, where there is one.
struct ToThread;

impl Log {
    pub(crate) fn begin() -> Self {
        static SUBSCRIBED: Once = Once::new();
        SUBSCRIBED.call_once(|| tracing_subscriber::fmt().with_ansi(false).with_writer(|| ToThread).init());
        let text = Arc::<Mutex<Vec<u8>>>::default();
        TEXT.set(Some(Arc::clone(&text)));
        Self { text }
    }

    /// Waits until the log has a text.
    pub(crate) async fn says(&self, what: &str) {
        for _ in 0..100 {
            if self.text().contains(what) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        panic!("{what:?} is not in {}", self.text());
    }

    pub(crate) fn does_not_say(&self, what: &str) {
        assert!(!self.text().contains(what), "{}", self.text());
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().unwrap()).into_owned()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        TEXT.set(None);
    }
}

impl io::Write for ToThread {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        TEXT.with_borrow(|text| {
            if let Some(text) = text {
                text.lock().unwrap().extend_from_slice(bytes);
            }
        });
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
