//! The laws that presence is held to: nobody changes what another shows, and what is sent on is read by everybody as it is here.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;
use ydock::MemberId;
use ydock::awareness::{AwarenessTable, Config};
use ydock::lib0::Reader;

/// What is shown, by client id.
type Shown = BTreeMap<u64, (u32, String)>;

/// Lets two members bring updates by turns, each after its length in one byte; then the one leaves, and then the other.
pub fn check(bytes: &[u8]) {
    let (mut table, config, now) = (AwarenessTable::default(), Config::default(), Instant::now());
    let members = [MemberId(1), MemberId(2)];
    let mut owners = BTreeMap::new();
    let (mut rest, mut turn) = (bytes, 0);
    while let Some((update, later)) = rest.split_first().and_then(|(len, rest)| rest.split_at_checked((*len).into())) {
        rest = later;
        let before = shown(&table);
        let outcome = table.apply(members[turn], update, &config, now);
        let after = shown(&table);
        assert!(outcome.is_ok() || before == after, "refused, and yet applied");
        for (client, state) in &before {
            assert!(after.get(client) == Some(state) || owners.get(client) == Some(&turn), "{client} is another's");
        }
        owners.retain(|client, _| after.contains_key(client));
        for client in after.keys() {
            owners.entry(*client).or_insert(turn);
        }
        assert!(after.len() <= 2 * config.max_clients_per_member);
        turn = 1 - turn;
    }
    let _changes = table.take_changes();
    for member in members {
        table.leave(member, now);
        if let Some(changes) = table.take_changes() {
            read(&changes.encode());
        }
    }
    assert_eq!(shown(&table), Shown::new(), "left, and yet there");
    table.expire(&config, now + Duration::from_mins(2));
    table.expire(&config, now + Duration::from_mins(4));
    let _changes = table.take_changes();
    table.expire(&config, now + Duration::from_mins(6));
    assert!(table.is_empty(), "clocks are kept for good");
}

/// What a newcomer is told, and another table takes as it is.
fn shown(table: &AwarenessTable) -> Shown {
    let Some(everyone) = table.everyone() else { return Shown::new() };
    let update = everyone.encode();
    let config = Config { max_clients_per_member: usize::MAX, ..Config::default() };
    let mut copy = AwarenessTable::default();
    let outcome = copy.apply(MemberId(3), &update, &config, Instant::now());
    assert_eq!(outcome, Ok(true));
    let shown = read(&update);
    assert_eq!(copy.everyone().map(|everyone| read(&everyone.encode())), Some(shown.clone()));
    shown
}

/// An update of this server, which is well-formed.
fn read(update: &[u8]) -> Shown {
    let mut reader = Reader::new(update);
    let count = reader.var_uint().expect("a count");
    let mut shown = Shown::new();
    for _ in 0..count {
        let client = reader.var_uint().expect("a client id");
        let clock = reader.var_u32().expect("a clock");
        let state = reader.text().expect("a state").to_owned();
        assert!(shown.insert(client, (clock, state)).is_none(), "a client twice");
    }
    assert!(reader.is_empty());
    shown
}
