//! Updates for tests, written by hand or at random: far more of them impossible than honest ones.

use proptest::prelude::*;

use super::block::Id;
use crate::ids::ClientId;
use crate::lib0::{write_text, write_var_uint};

pub(super) fn client(number: u64) -> ClientId {
    ClientId::new(number).unwrap()
}

pub(super) fn id(number: u64, clock: u32) -> Id {
    Id { client: client(number), clock }
}

/// An update in the making.
#[derive(Debug, Clone, Default)]
pub(super) struct Sample {
    sections: Vec<(u64, u32, Vec<Vec<u8>>)>,
    deletes: Vec<(u64, u32, u32)>,
}

/// Where a sample block claims to stand.
#[derive(Debug, Clone, Copy)]
pub(super) enum At {
    Root(&'static str),
    RootKey(&'static str, &'static str),
    In(Id),
    InKey(Id, &'static str),
    After(Id),
    Between(Id, Id),
}

impl Sample {
    pub(super) fn section(mut self, client: u64, clock: u32) -> Self {
        self.sections.push((client, clock, Vec::new()));
        self
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.sections.last_mut().unwrap().2.push(bytes.to_vec());
        self
    }

    pub(super) fn block(self, kind: u8, at: At, content: &[u8]) -> Self {
        let mut out = Vec::new();
        let flags = match at {
            At::Root(_) | At::In(_) => 0,
            At::RootKey(..) | At::InKey(..) => 0x20,
            At::After(_) => 0x80,
            At::Between(..) => 0xc0,
        };
        out.push(kind | flags);
        match at {
            At::Root(name) | At::RootKey(name, _) => {
                out.push(1);
                write_text(&mut out, name);
            }
            At::In(parent) | At::InKey(parent, _) => {
                out.push(0);
                parent.write(&mut out);
            }
            At::After(origin) => origin.write(&mut out),
            At::Between(origin, right) => {
                origin.write(&mut out);
                right.write(&mut out);
            }
        }
        if let At::RootKey(_, key) | At::InKey(_, key) = at {
            write_text(&mut out, key);
        }
        out.extend_from_slice(content);
        self.raw(&out)
    }

    pub(super) fn text(self, at: At, text: &str) -> Self {
        let mut content = Vec::new();
        write_text(&mut content, text);
        self.block(4, at, &content)
    }

    pub(super) fn delete(mut self, client: u64, start: u32, len: u32) -> Self {
        self.deletes.push((client, start, len));
        self
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        write_var_uint(&mut out, self.sections.len() as u64);
        for (client, clock, blocks) in &self.sections {
            write_var_uint(&mut out, blocks.len() as u64);
            write_var_uint(&mut out, *client);
            write_var_uint(&mut out, (*clock).into());
            out.extend(blocks.iter().flatten());
        }
        write_var_uint(&mut out, self.deletes.len() as u64);
        for (client, start, len) in &self.deletes {
            write_var_uint(&mut out, *client);
            write_var_uint(&mut out, 1);
            write_var_uint(&mut out, (*start).into());
            write_var_uint(&mut out, (*len).into());
        }
        out
    }
}

/// One random update: a few clients, small clocks, all kinds of blocks.
pub(super) fn any_update() -> impl Strategy<Value = Vec<u8>> {
    let sections = proptest::sample::subsequence(vec![1_u64, 2, 3], 0..=3).prop_shuffle();
    let sections = sections.prop_flat_map(|clients| {
        clients
            .into_iter()
            .map(|client| (Just(client), 0_u32..6, proptest::collection::vec(any_block(), 1..5)))
            .collect::<Vec<_>>()
    });
    let deletes = proptest::collection::vec((1_u64..4, 0_u32..9, 0_u32..4), 0..3);
    (sections, deletes).prop_map(|(sections, deletes)| Sample { sections, deletes }.bytes())
}

fn any_block() -> impl Strategy<Value = Vec<u8>> {
    let id = || (1_u64..4, 0_u32..9).prop_map(|(client, clock)| id(client, clock));
    let at = prop_oneof![
        prop::sample::select(vec!["t", "m"]).prop_map(At::Root),
        Just(At::RootKey("m", "k")),
        id().prop_map(At::In),
        id().prop_map(|id| At::InKey(id, "k")),
        id().prop_map(At::After),
        (id(), id()).prop_map(|(left, right)| At::Between(left, right)),
    ];
    let content = prop::sample::select(vec![
        (1_u8, vec![2]),
        (2, vec![2, 1, b'1', 1, b'2']),
        (3, vec![1, 9]),
        (4, vec![1, b'a']),
        (4, "\u{6}x😀y".as_bytes().to_vec()),
        (5, vec![2, b'{', b'}']),
        (6, vec![1, b'b', 4, b't', b'r', b'u', b'e']),
        (7, vec![0]),
        (7, vec![3, 1, b'p']),
        (8, vec![1, 126]),
        (8, vec![2, 125, 5, 119, 1, b's']),
        (9, vec![1, b'g', 118, 0]),
    ]);
    prop_oneof![
        6 => (at, content).prop_map(|(at, (kind, content))| {
            Sample::default().section(1, 0).block(kind, at, &content).sections.remove(0).2.remove(0)
        }),
        1 => (1_u8..4).prop_map(|len| vec![0, len]),
        1 => (1_u8..4).prop_map(|len| vec![10, len]),
    ]
}
