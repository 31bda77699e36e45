//! Every metric of the server, by name, in one place.
//!
//! Names are `ydock_<noun>_<unit>[_total]`; labels are of low cardinality and never a document's name. The handles are
//! plain atomics: counting costs a few nanoseconds and no lock.

use std::fmt::Write;

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder, Unit};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};

use super::limits::Refusals;
use super::seconds::Seconds;

/// The handles of all metrics of one server, and their text form.
pub struct Metrics {
    /// WebSocket connections that are open.
    pub connections: Gauge,
    /// WebSocket connections accepted since the start.
    pub connections_opened: Counter,
    /// Connections that the server closed because of what the client sent.
    pub connections_refused: Counter,
    /// Connections over TCP and unix sockets that are open: WebSockets, and those that wait for a request.
    pub sockets: Gauge,
    /// Clients that were refused or ended because of a limit, by its setting.
    pub refused: Refusals,
    /// Times that a connection was read no further for a while because its client sent more messages than it may.
    pub slowed_messages: Counter,
    /// The same because it sent more bytes than it may.
    pub slowed_bytes: Counter,
    /// Rooms that are open in memory.
    pub rooms: Gauge,
    /// Bytes of documents that open rooms hold.
    pub room_bytes: Gauge,
    /// Members in all rooms.
    pub members: Gauge,
    /// Frames received from clients.
    pub frames_received: Counter,
    /// Bytes received from clients in frames.
    pub bytes_received: Counter,
    /// Frames handed to the sockets.
    pub frames_sent: Counter,
    /// Bytes handed to the sockets in frames.
    pub bytes_sent: Counter,
    /// Updates that brought something new and were accepted.
    pub updates_accepted: Counter,
    /// Updates that brought nothing new.
    pub updates_contained: Counter,
    /// Updates that waited for something missing before them.
    pub updates_parked: Counter,
    /// Updates refused as malformed or inconsistent.
    pub updates_refused: Counter,
    /// Updates made durable.
    pub updates_saved: Counter,
    /// Failed attempts to save.
    pub save_failures: Counter,
    /// Rooms that hold updates which the store could not take.
    pub rooms_unsaved: Gauge,
    /// Time from accepting an update to its commit, in seconds.
    pub save_seconds: Seconds,
    /// Compactions finished.
    pub compactions: Counter,
    /// Members brought up to date by one diff because they read too slowly.
    pub resyncs: Counter,
    /// Time to open a room, in seconds.
    pub room_open_seconds: Seconds,
    /// Clients in all namespaces of gateways.
    pub gateway_clients: Gauge,
    /// Events received from clients of gateways.
    pub gateway_events: Counter,
    /// Clients of gateways that were disconnected because they read too slowly.
    pub gateway_too_slow: Counter,
    /// Clients of gateways that were disconnected because they sent more than they may.
    pub gateway_rate_limited: Counter,
    /// TLS handshakes that failed or took too long.
    pub handshake_failures: Counter,
    /// HTTP requests answered, WebSocket upgrades included.
    pub http_requests: Counter,
    /// Clients and requests that were not let in, by the reasons of [`ACCESS_REASONS`](Self::ACCESS_REASONS).
    pub access_refused: [Counter; Self::ACCESS_REASONS.len()],
    /// Sessions, documents, updates and presence that a hook refused.
    pub hooks_refused: Counter,
    /// Calls of hooks that panicked or took too long.
    pub hooks_failed: Counter,
    /// Events that the owner's backend has taken.
    pub webhooks_sent: Counter,
    /// Attempts to send an event that failed.
    pub webhooks_failed: Counter,
    /// Events that wait to be sent.
    pub webhooks_waiting: Gauge,
    /// Events that were put aside because nobody took them.
    pub webhooks_aside: Gauge,
    /// Exports made by workers.
    pub exports: Counter,
    /// Exports that failed.
    pub export_failures: Counter,
    handle: PrometheusHandle,
}

impl Metrics {
    /// Why somebody is not let in.
    pub const ACCESS_REASONS: [&str; 6] = ["no_token", "invalid", "expired", "revoked", "forbidden", "unavailable"];

    /// All metrics at zero.
    #[must_use]
    pub fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        let handle = recorder.handle();
        let make = Maker(&recorder);
        Self {
            connections: make.gauge("ydock_connections", "WebSocket connections that are open"),
            connections_opened: make
                .counter("ydock_connections_opened_total", "WebSocket connections accepted since the start"),
            connections_refused: make.counter(
                "ydock_connections_refused_total",
                "connections that the server closed because of what the client sent",
            ),
            sockets: make.gauge("ydock_sockets", "connections over TCP and unix sockets that are open"),
            refused: Refusals::new(|limit| {
                let help = "clients refused or ended because of a limit, by its setting; see docs/limits.md";
                make.labelled_counter("ydock_refused_total", ("limit", limit.setting()), help)
            }),
            slowed_messages: make.slowed_counter("connections.messages_per_second"),
            slowed_bytes: make.slowed_counter("connections.bytes_per_second"),
            rooms: make.gauge("ydock_rooms", "rooms that are open in memory"),
            room_bytes: make.gauge("ydock_room_bytes", "bytes of documents that open rooms hold"),
            members: make.gauge("ydock_members", "members in all rooms"),
            frames_received: make.counter("ydock_frames_received_total", "frames received from clients"),
            bytes_received: make.counter("ydock_received_bytes_total", "bytes received from clients in frames"),
            frames_sent: make.counter("ydock_frames_sent_total", "frames handed to the sockets"),
            bytes_sent: make.counter("ydock_sent_bytes_total", "bytes handed to the sockets in frames"),
            updates_accepted: make.update_counter("accepted"),
            updates_contained: make.update_counter("contained"),
            updates_parked: make.update_counter("parked"),
            updates_refused: make.update_counter("refused"),
            updates_saved: make.counter("ydock_updates_saved_total", "updates made durable"),
            save_failures: make.counter("ydock_save_failures_total", "failed attempts to save"),
            rooms_unsaved: make.gauge("ydock_rooms_unsaved", "rooms that hold updates which the store could not take"),
            save_seconds: Seconds::new("ydock_save_seconds", "time from accepting an update to its commit"),
            compactions: make.counter("ydock_compactions_total", "compactions finished"),
            resyncs: make
                .counter("ydock_resyncs_total", "members brought up to date by one diff because they read too slowly"),
            room_open_seconds: Seconds::new("ydock_room_open_seconds", "time to open a room"),
            gateway_clients: make.gauge("ydock_gateway_clients", "clients in all namespaces of gateways"),
            gateway_events: make.counter("ydock_gateway_events_total", "events received from clients of gateways"),
            gateway_too_slow: make.counter(
                "ydock_gateway_too_slow_total",
                "clients of gateways that were disconnected because they read too slowly",
            ),
            gateway_rate_limited: make.counter(
                "ydock_gateway_rate_limited_total",
                "clients of gateways that were disconnected because they sent more than they may",
            ),
            handshake_failures: make
                .counter("ydock_handshake_failures_total", "TLS handshakes that failed or took too long"),
            http_requests: make
                .counter("ydock_http_requests_total", "HTTP requests answered, WebSocket upgrades included"),
            access_refused: Self::ACCESS_REASONS.map(|reason| {
                let help = "clients and requests that were not let in, by the reason";
                make.labelled_counter("ydock_access_refused_total", ("reason", reason), help)
            }),
            hooks_refused: make
                .counter("ydock_hook_refusals_total", "sessions, documents, updates and presence that a hook refused"),
            hooks_failed: make
                .counter("ydock_hook_failures_total", "calls of hooks that panicked or took longer than hooks.timeout"),
            webhooks_sent: make.counter("ydock_webhooks_sent_total", "events that the owner's backend has taken"),
            webhooks_failed: make.counter(
                "ydock_webhook_failures_total",
                "attempts to send an event to the owner's backend that failed",
            ),
            webhooks_waiting: make.gauge("ydock_webhooks_waiting", "events that wait to be sent"),
            webhooks_aside: make.gauge("ydock_webhooks_aside", "events that were put aside because nobody took them"),
            exports: make.counter("ydock_exports_total", "exports made by workers"),
            export_failures: make.counter("ydock_export_failures_total", "exports that failed"),
            handle,
        }
    }

    /// All metrics in the Prometheus text format, version 0.0.4.
    #[must_use]
    pub fn render(&self) -> String {
        self.handle.run_upkeep();
        let mut text = self.handle.render();
        for seconds in [&self.save_seconds, &self.room_open_seconds] {
            let _a_string_takes_all = write!(text, "{seconds}").is_ok();
        }
        text
    }
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Metrics {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

struct Maker<'a, R>(&'a R);

impl<R: Recorder> Maker<'_, R> {
    fn counter(&self, name: &'static str, help: &'static str) -> Counter {
        self.0.describe_counter(name.into(), Some(Unit::Count), help.into());
        self.0.register_counter(&Key::from_static_name(name), &METADATA)
    }

    fn update_counter(&self, outcome: &'static str) -> Counter {
        let help = "updates from clients, by what became of them: accepted, contained, …";
        self.labelled_counter("ydock_updates_total", ("outcome", outcome), help)
    }

    fn slowed_counter(&self, limit: &'static str) -> Counter {
        let help = "times that a connection was read no further for a while, by the limit that its client was over";
        self.labelled_counter("ydock_slowed_total", ("limit", limit), help)
    }

    fn labelled_counter(
        &self,
        name: &'static str,
        (label, value): (&'static str, &'static str),
        help: &'static str,
    ) -> Counter {
        self.0.describe_counter(name.into(), Some(Unit::Count), help.into());
        let key = Key::from_parts(name, vec![Label::from_static_parts(label, value)]);
        self.0.register_counter(&key, &METADATA)
    }

    fn gauge(&self, name: &'static str, help: &'static str) -> Gauge {
        self.0.describe_gauge(name.into(), None, help.into());
        self.0.register_gauge(&Key::from_static_name(name), &METADATA)
    }
}

const METADATA: Metadata<'static> = Metadata::new("ydock", Level::INFO, Some("ydock"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_servers_in_one_process_count_apart() {
        let (one, other) = (Metrics::new(), Metrics::new());
        one.updates_accepted.increment(3);
        assert!(one.render().contains("ydock_updates_total{outcome=\"accepted\"} 3"), "{}", one.render());
        assert!(!other.render().contains("outcome=\"accepted\"} 3"));
        one.save_seconds.record(std::time::Duration::from_millis(3));
        assert!(one.render().contains("ydock_save_seconds_count 1\n"));
        assert!(other.render().contains("ydock_save_seconds_count 0\n"));
    }
}
