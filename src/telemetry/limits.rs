//! The limits that clients can reach, by the settings that say them, and how often each was reached.

use metrics::Counter;

/// A limit on what a client may do, named like its setting. docs/limits.md says what the client is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "each is the setting that `setting` names, and docs/settings.md describes it")]
#[non_exhaustive]
pub enum Limit {
    AwarenessMaxClients,
    AwarenessMaxState,
    ConnectionsEnterWithin,
    ConnectionsMaxDocuments,
    ConnectionsMaxMessage,
    ConnectionsMaxOpen,
    ConnectionsMaxPerAddress,
    ConnectionsSilentAfter,
    ConnectionsStalledAfter,
    DeliveryMaxWaiting,
    GatewaysConnectWithin,
    GatewaysMaxMessage,
    GatewaysMaxNamespaces,
    GatewaysMaxOpen,
    GatewaysMaxTopics,
    HttpBodyWithin,
    HttpHeadWithin,
    HttpMaxPerAddress,
    RoomsMaxDocument,
    RoomsMaxMembers,
    RoomsMaxOpen,
    StoreMaxUpdate,
    TlsHandshakeWithin,
}

/// How often clients were refused or ended because of each limit.
#[derive(Debug)]
pub struct Refusals([Counter; Limit::ALL.len()]);

impl Limit {
    const ALL: [Self; 23] = [
        Self::AwarenessMaxClients,
        Self::AwarenessMaxState,
        Self::ConnectionsEnterWithin,
        Self::ConnectionsMaxDocuments,
        Self::ConnectionsMaxMessage,
        Self::ConnectionsMaxOpen,
        Self::ConnectionsMaxPerAddress,
        Self::ConnectionsSilentAfter,
        Self::ConnectionsStalledAfter,
        Self::DeliveryMaxWaiting,
        Self::GatewaysConnectWithin,
        Self::GatewaysMaxMessage,
        Self::GatewaysMaxNamespaces,
        Self::GatewaysMaxOpen,
        Self::GatewaysMaxTopics,
        Self::HttpBodyWithin,
        Self::HttpHeadWithin,
        Self::HttpMaxPerAddress,
        Self::RoomsMaxDocument,
        Self::RoomsMaxMembers,
        Self::RoomsMaxOpen,
        Self::StoreMaxUpdate,
        Self::TlsHandshakeWithin,
    ];

    /// The setting, as table and key: the value of the metric's label `limit`.
    #[must_use]
    pub const fn setting(self) -> &'static str {
        match self {
            Self::AwarenessMaxClients => "rooms.awareness.max_clients_per_member",
            Self::AwarenessMaxState => "rooms.awareness.max_state",
            Self::ConnectionsEnterWithin => "connections.enter_within",
            Self::ConnectionsMaxDocuments => "connections.max_documents",
            Self::ConnectionsMaxMessage => "connections.max_message",
            Self::ConnectionsMaxOpen => "connections.max_open",
            Self::ConnectionsMaxPerAddress => "connections.max_per_address",
            Self::ConnectionsSilentAfter => "connections.silent_after",
            Self::ConnectionsStalledAfter => "connections.stalled_after",
            Self::DeliveryMaxWaiting => "delivery.max_waiting",
            Self::GatewaysConnectWithin => "gateways.connect_within",
            Self::GatewaysMaxMessage => "gateways.max_message",
            Self::GatewaysMaxNamespaces => "gateways.max_namespaces",
            Self::GatewaysMaxOpen => "gateways.max_open",
            Self::GatewaysMaxTopics => "gateways.max_topics",
            Self::HttpBodyWithin => "http.body_within",
            Self::HttpHeadWithin => "http.head_within",
            Self::HttpMaxPerAddress => "http.max_per_address",
            Self::RoomsMaxDocument => "rooms.max_document",
            Self::RoomsMaxMembers => "rooms.max_members",
            Self::RoomsMaxOpen => "rooms.max_open",
            Self::StoreMaxUpdate => "store.max_update",
            Self::TlsHandshakeWithin => "tls.handshake_within",
        }
    }
}

impl Refusals {
    /// One counter for each limit.
    pub(super) fn new(counter: impl Fn(Limit) -> Counter) -> Self {
        Self(Limit::ALL.map(counter))
    }

    /// A client was refused or ended because of a limit.
    pub fn count(&self, limit: Limit) {
        // `ALL` is in the order of the enum, which a test checks.
        if let Some(counter) = self.0.get(limit as usize) {
            counter.increment(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_has_its_own_counter_and_is_one_of_the_settings() {
        let example = include_str!("../../ydock.example.toml");
        for (number, limit) in Limit::ALL.into_iter().enumerate() {
            assert_eq!(limit as usize, number, "{limit:?} is not in its order");
            let (table, key) = limit.setting().rsplit_once('.').unwrap();
            let (_, section) = example.split_once(&format!("[{table}]\n")).unwrap();
            let section = section.split("\n[").next().unwrap();
            assert!(section.lines().any(|line| line.starts_with(&format!("{key} = "))), "{}", limit.setting());
        }
    }
}
