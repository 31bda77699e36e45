//! A server with a gateway whose clients take part in documents without editing them: to show who is there and who types.
//!
//! `cargo run --example documents -- 127.0.0.1:3000`; settings come from `YDOCK_…` variables. With socket.io-client:
//!
//! ```js
//! const socket = io('http://127.0.0.1:3000/documents', { auth: { name: 'Ada' } })
//! socket.emit('join', { doc: 'plan' })
//! socket.on('presence', ({ room, users }) => …)   // room is 'doc:plan'
//! socket.emit('typing', { doc: 'plan', isTyping: true })
//! ```

use serde::Deserialize;
use ydock::config::{Config, Layers};
use ydock::gateway::{Client, EventError, Gateway, GatewaysBuilder, Handshake, Payload};

#[derive(Deserialize)]
struct Document {
    doc: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Note {
    doc: String,
    is_typing: bool,
    #[serde(default)]
    place: String,
}

#[derive(Deserialize)]
struct Auth {
    name: Option<String>,
}

/// A client says what it is called.
async fn introduce(client: Client, handshake: Handshake) -> Result<(), EventError> {
    if let Some(name) = handshake.auth::<Auth>()?.name {
        client.introduce(&name);
    }
    Ok(())
}

async fn join(client: Client, Payload(Document { doc }): Payload<Document>) -> bool {
    client.join(&format!("doc:{doc}"));
    client.is_in(&format!("doc:{doc}"))
}

async fn leave(client: Client, Payload(Document { doc }): Payload<Document>) -> bool {
    client.leave(&format!("doc:{doc}"));
    true
}

async fn typing(client: Client, Payload(note): Payload<Note>) -> Result<bool, EventError> {
    client.typing_at(&format!("doc:{}", note.doc), note.is_typing, &note.place)?;
    Ok(true)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ydock::materialise::run_if_worker();
    let mut settings = Layers::new();
    settings.variables(std::env::vars());
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned()).parse()?;
    let config = Config { listen, ..settings.read()? };
    let mut gateways = GatewaysBuilder::default();
    let documents = Gateway::new("/documents").on_connect(introduce);
    gateways.add(documents.on("join", join).on("leave", leave).on("typing", typing));
    let server = ydock::Server::bind_with(config, gateways).await?;
    #[expect(clippy::print_stdout, reason = "the line that tests wait for")]
    {
        println!("listening on {}", server.origin());
    }
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(())
}
