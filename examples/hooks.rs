//! A server with hooks: new documents begin with a title, large updates are refused, and texts of the application are answered.
//!
//! `cargo run --example hooks -- 127.0.0.1:3000`; settings come from `YDOCK_…` variables. With @hocuspocus/provider:
//!
//! ```js
//! const provider = new HocuspocusProvider({ url: 'ws://127.0.0.1:3000/hocuspocus', name: 'plan' })
//! provider.document.getText('title').toString()   // 'plan', once it is synced
//! provider.on('stateless', ({ payload }) => …)    // 'pong', or what somebody in the document says
//! provider.sendStateless('ping')
//! provider.sendStateless('say hello')
//! ```

use async_trait::async_trait;
use bytes::Bytes;
use ydock::DocName;
use ydock::config::{Config, Layers};
use ydock::hooks::{Answers, Hooks, Refusal, SessionContext, Wants};
use yrs::{Doc, ReadTxn, StateVector, Text, Transact, WriteTxn};

/// Gives each new document a title: its name.
struct Titles;

#[async_trait]
impl Hooks for Titles {
    async fn load(&self, doc: &DocName) -> Result<Option<Bytes>, Refusal> {
        // A new one each time, with a client id of its own: documents of two lives of a name must not look alike.
        let new = Doc::new();
        let mut edit = new.transact_mut();
        let title = edit.get_or_insert_text("title");
        title.insert(&mut edit, 0, doc.as_str());
        Ok(Some(edit.encode_state_as_update_v1(&StateVector::default()).into()))
    }
}

/// Refuses updates that are too large for this house.
struct Size {
    max: usize,
}

#[async_trait]
impl Hooks for Size {
    fn wants(&self) -> Wants {
        Wants { updates: true, ..Wants::default() }
    }

    async fn update(&self, _: &SessionContext, update: &[u8]) -> Result<(), Refusal> {
        if update.len() > self.max {
            return Err(Refusal::new(format!("at most {} bytes at once", self.max)));
        }
        Ok(())
    }
}

/// Answers `ping`, and tells everybody in the document what somebody says.
struct Texts;

#[async_trait]
impl Hooks for Texts {
    async fn stateless(&self, _: &SessionContext, text: &str, answers: &mut Answers) {
        match text.split_once(' ') {
            Some(("say", words)) => answers.broadcast(words),
            _ if text == "ping" => answers.reply("pong"),
            _ => answers.reply("say what?"),
        }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    ydock::materialise::run_if_worker();
    let mut settings = Layers::new();
    settings.variables(std::env::vars());
    let listen = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:3000".to_owned()).parse()?;
    let config = Config { listen, ..settings.read()? };
    let server = ydock::Server::builder(config).hook(Titles).hook(Size { max: 10_000 }).hook(Texts).bind().await?;
    #[expect(clippy::print_stdout, reason = "the line that tests wait for")]
    {
        println!("listening on {}", server.origin());
    }
    server.run(async { tokio::signal::ctrl_c().await.unwrap_or_default() }).await?;
    Ok(())
}
