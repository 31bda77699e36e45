//! A room that panics takes no other with it: not those of other clients, and not those of the same socket for long.

use ydock::storage::Mishap;

use super::{Served, pass};
use crate::yjs::{letter, typed};

#[tokio::test(start_paused = true)]
async fn a_room_that_panics_ends_its_own_members_and_they_come_back_to_everything() {
    let served = Served::new();
    let (mut ada, mut bob) = (served.provider().await, served.provider().await);
    for (is_ada, name) in [(true, "broken"), (true, "beside it"), (false, "another")] {
        let provider = if is_ada { &mut ada } else { &mut bob };
        provider.enter(name).await;
        provider.update(name, &letter(1, 0)).await;
        assert_eq!(provider.acknowledged(name).await, 1);
    }
    served.bench.store.plan(served.bench.store.calls() + 1, Mishap::Panic);
    ada.update("broken", &letter(1, 1)).await;
    assert_eq!(ada.acknowledged("broken").await, 0, "what was not stored is not acknowledged");
    // Providers come back when the socket goes, and not when a document is closed.
    assert_eq!(ada.closed().await, Some(4500));
    bob.update("another", &letter(1, 1)).await;
    assert_eq!((bob.acknowledged("another").await, bob.closed().await), (1, None));

    let mut again = served.provider().await;
    for name in ["broken", "beside it"] {
        again.enter(name).await;
        again.update(name, &letter(1, 1)).await;
        assert_eq!(again.acknowledged(name).await, 1, "{name}");
    }
    drop((ada, bob, again));
    pass(120).await;
    assert_eq!(served.bench.rooms.open_rooms(), 0);
    for name in ["broken", "beside it", "another"] {
        assert_eq!(served.stored(name).await, typed(1, 0, "aa"), "{name}");
    }
}
