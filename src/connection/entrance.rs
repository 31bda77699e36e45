//! The way into a document, the same for all fronts: past the hooks, and to a place among the sessions.

use std::fmt;
use std::sync::Arc;

use super::admission::Admission;
use super::permission::Permission;
use super::sessions::{Sessions, Visitor};
use crate::auth::{Access, Refusal};
use crate::delivery::{Dialect, Ending, Outbox};
use crate::doc_rooms::Rooms;
use crate::hooks::SessionContext;
use crate::ids::DocName;

/// What stands at the door.
#[derive(Debug, Clone, Copy)]
pub struct Entrance<'a> {
    /// Who may do what.
    pub access: &'a Access,
    /// Everybody who is there.
    pub sessions: &'a Sessions,
    /// The documents, which know the hooks.
    pub rooms: &'a Rooms,
}

impl Entrance<'_> {
    /// Lets somebody into a document whose token was found to be good: asks the hooks, then tells the client what it may do,
    /// before it is told anything else. The room is not joined yet.
    ///
    /// # Errors
    /// When the pass is for another document, or a hook refuses.
    pub async fn let_in(
        &self,
        (doc, visitor): (&DocName, Visitor),
        connection: impl fmt::Display,
        outbox: &Arc<Outbox>,
        dialect: Arc<dyn Dialect>,
    ) -> Result<(Permission, Admission), Ending> {
        let visitor = Visitor { doc: Some(doc.clone()), ..visitor };
        let grant = visitor.grant().ok_or_else(Refusal::not_this_document)?;
        let context = || {
            let context = SessionContext::new(doc.clone(), visitor.front, &connection.to_string());
            context.with_role(grant.role).from_remote(visitor.remote).of_user(visitor.pass.user.clone())
        };
        let admission = Admission::ask(self.rooms, context).await?;
        let pass = visitor.pass.clone();
        let permission = Permission::announce(self.sessions, visitor, outbox, dialect);
        let permission = permission.ok_or_else(Refusal::not_this_document)?;
        // What was taken back while the hooks were asked reached only those who were there already.
        permission.review(self.access, &pass);
        Ok((permission, admission))
    }
}
