//! Extractors: what a handler may take, each one from the event that it handles.
//!
//! They stand for the parameter decorators of NestJS: [`Payload`] for `@MessageBody()`, [`Client`] for `@ConnectedSocket()`,
//! [`Namespace`] (or [`Gateways`], for all namespaces) for `@WebSocketServer()`, [`State`] for what is injected. A custom decorator is an implementation of
//! [`FromEvent`].

use std::future::Future;
use std::ops::Deref;

use axum::extract::FromRef;
use serde::de::DeserializeOwned;

use super::client::Client;
use super::error::EventError;
use super::event::{Event, Handshake};
use super::gateways::Gateways;
use super::namespace::Namespace;
use super::wire::DisconnectReason;

/// Something that a handler can take.
///
/// ```
/// use ydock::gateway::{Event, EventError, FromEvent};
///
/// /// The user that a guard has found: `client.set(User { .. })`.
/// #[derive(Clone)]
/// struct User { name: String }
///
/// impl<S: Sync> FromEvent<S> for User {
///     async fn from_event(event: &mut Event, _state: &S) -> Result<Self, EventError> {
///         event.client().get::<User>().ok_or_else(|| EventError::new("Log in first"))
///     }
/// }
///
/// async fn whoami(user: User) -> String {
///     user.name
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "a gateway's handler cannot take `{Self}`",
    label = "not an extractor",
    note = "take `Payload<T>`, `Validated<T>`, `Client`, `Namespace`, `Gateways`, `State<T>`, `Handshake`, `EventName`, or implement `FromEvent`"
)]
pub trait FromEvent<S>: Sized + Send {
    /// Takes it from an event.
    ///
    /// # Errors
    /// What the sender is told when it is not there.
    fn from_event(event: &mut Event, state: &S) -> impl Future<Output = Result<Self, EventError>> + Send;
}

/// The values of the event: a tuple takes all of them, any other type the first. What does not fit is told to the sender
/// with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload<T>(pub T);

/// The values of the event, after [`Validate`] has found no fault with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validated<T>(pub T);

/// What knows whether its values make sense.
///
/// ```
/// use serde::Deserialize;
/// use ydock::gateway::{Validate, Validated};
///
/// #[derive(Deserialize)]
/// struct Message { room: String, text: String }
///
/// impl Validate for Message {
///     fn faults(&self) -> Vec<String> {
///         let mut faults = Vec::new();
///         if self.room.is_empty() { faults.push("room must not be empty".to_owned()); }
///         if self.text.len() > 1000 { faults.push("text must be at most 1000 bytes long".to_owned()); }
///         faults
///     }
/// }
///
/// async fn message(Validated(message): Validated<Message>) -> String {
///     message.text
/// }
/// ```
pub trait Validate {
    /// What is wrong, each in words for the sender; nothing when all is well.
    fn faults(&self) -> Vec<String>;
}

/// The application's state, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State<T>(pub T);

/// The event's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventName(pub String);

impl<S: Sync, T: DeserializeOwned + Send> FromEvent<S> for Payload<T> {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(Self(event.data().decode()?))
    }
}

impl<S: Sync, T: DeserializeOwned + Validate + Send> FromEvent<S> for Validated<T> {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        let value: T = event.data().decode().map_err(|error| EventError::invalid(vec![error.to_string()]))?;
        let faults = value.faults();
        if faults.is_empty() { Ok(Self(value)) } else { Err(EventError::invalid(faults)) }
    }
}

impl<S: Sync, T: FromRef<S> + Send> FromEvent<S> for State<T> {
    async fn from_event(_: &mut Event, state: &S) -> Result<Self, EventError> {
        Ok(Self(T::from_ref(state)))
    }
}

impl<S: Sync> FromEvent<S> for Client {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(event.client().clone())
    }
}

impl<S: Sync> FromEvent<S> for Namespace {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(event.client().namespace().clone())
    }
}

impl<S: Sync> FromEvent<S> for Gateways {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(event.client().gateways().clone())
    }
}

impl<S: Sync> FromEvent<S> for Handshake {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(event.client().handshake().clone())
    }
}

impl<S: Sync> FromEvent<S> for EventName {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(Self(event.name().to_owned()))
    }
}

/// The event itself, with everything.
impl<S: Sync> FromEvent<S> for Event {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        Ok(event.clone())
    }
}

/// Why the client has gone, in an `on_disconnect` handler.
impl<S: Sync> FromEvent<S> for DisconnectReason {
    async fn from_event(event: &mut Event, _: &S) -> Result<Self, EventError> {
        let missing = || EventError::internal("only an on_disconnect handler can take a DisconnectReason");
        event.extensions.get::<Self>().copied().ok_or_else(missing)
    }
}

/// An extractor that may find nothing.
impl<S: Sync, T: FromEvent<S>> FromEvent<S> for Result<T, EventError> {
    async fn from_event(event: &mut Event, state: &S) -> Result<Self, EventError> {
        Ok(T::from_event(event, state).await)
    }
}

impl<T> Deref for Payload<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Deref for Validated<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}
