//! A hook that its program keeps a hold of.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;

use super::context::SessionContext;
use super::presence::PresenceEntry;
use super::refusal::Refusal;
use super::stateless::Answers;
use super::{Hooks, Wants};
use crate::ids::DocName;

#[async_trait]
impl<H: Hooks + ?Sized> Hooks for Arc<H> {
    fn wants(&self) -> Wants {
        (**self).wants()
    }

    async fn connect(&self, session: &SessionContext) -> Result<(), Refusal> {
        (**self).connect(session).await
    }

    async fn load(&self, doc: &DocName) -> Result<Option<Bytes>, Refusal> {
        (**self).load(doc).await
    }

    async fn update(&self, session: &SessionContext, update: &[u8]) -> Result<(), Refusal> {
        (**self).update(session, update).await
    }

    async fn awareness(&self, session: &SessionContext, entries: &mut Vec<PresenceEntry>) -> Result<(), Refusal> {
        (**self).awareness(session, entries).await
    }

    async fn saved(&self, doc: &DocName, head: u64) {
        (**self).saved(doc, head).await;
    }

    async fn stateless(&self, session: &SessionContext, text: &str, answers: &mut Answers) {
        (**self).stateless(session, text, answers).await;
    }

    async fn disconnect(&self, session: &SessionContext) {
        (**self).disconnect(session).await;
    }

    async fn deleted(&self, doc: &DocName) {
        (**self).deleted(doc).await;
    }

    async fn unload(&self, doc: &DocName) {
        (**self).unload(doc).await;
    }
}
