//! Asynchronous functions as handlers: their parameters are extractors, their result says what they are good for.

use std::future::Future;
use std::pin::Pin;

use super::error::EventError;
use super::event::Event;
use super::extract::FromEvent;

/// An asynchronous function of up to eight extractors. Handlers of events, guards and lifecycle hooks are such functions;
/// they differ in what they return.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler of a gateway",
    label = "expected an `async fn` whose parameters are extractors",
    note = "parameters must implement `FromEvent`, and the future must be `Send`"
)]
pub trait Handler<T, S>: Clone + Send + Sync + 'static {
    /// What it returns.
    type Output;

    /// Extracts the parameters and calls the function.
    fn call(&self, event: Event, state: &S) -> Called<Self::Output>;
}

/// A handler at work.
pub type Called<T> = Pin<Box<dyn Future<Output = Result<T, EventError>> + Send>>;

macro_rules! handlers {
    ($($extractor:ident),*) => {
        impl<F, Fut, S, $($extractor,)*> Handler<($($extractor,)*), S> for F
        where
            F: Fn($($extractor),*) -> Fut + Clone + Send + Sync + 'static,
            Fut: Future + Send + 'static,
            Fut::Output: Send + 'static,
            S: Clone + Send + Sync + 'static,
            $($extractor: FromEvent<S> + Send + 'static,)*
        {
            type Output = Fut::Output;

            #[allow(non_snake_case, unused_mut, unused_variables, reason = "one macro for all numbers of parameters")]
            #[allow(clippy::allow_attributes, reason = "an expectation would not hold for every number")]
            fn call(&self, mut event: Event, state: &S) -> Called<Self::Output> {
                let (function, state) = (self.clone(), state.clone());
                Box::pin(async move {
                    $(let $extractor = $extractor::from_event(&mut event, &state).await?;)*
                    Ok(function($($extractor),*).await)
                })
            }
        }
    };
}

handlers!();
handlers!(E1);
handlers!(E1, E2);
handlers!(E1, E2, E3);
handlers!(E1, E2, E3, E4);
handlers!(E1, E2, E3, E4, E5);
handlers!(E1, E2, E3, E4, E5, E6);
handlers!(E1, E2, E3, E4, E5, E6, E7);
handlers!(E1, E2, E3, E4, E5, E6, E7, E8);

/// What a guard may say.
pub trait Verdict: Send + 'static {
    /// Whether the event may pass, or what its sender is told.
    ///
    /// # Errors
    /// When it may not.
    fn verdict(self) -> Result<(), EventError>;
}

impl Verdict for bool {
    fn verdict(self) -> Result<(), EventError> {
        if self { Ok(()) } else { Err(EventError::forbidden()) }
    }
}

impl Verdict for () {
    fn verdict(self) -> Result<(), EventError> {
        Ok(())
    }
}

impl<T: Verdict, E: Into<EventError> + Send + 'static> Verdict for Result<T, E> {
    fn verdict(self) -> Result<(), EventError> {
        self.map_err(Into::into)?.verdict()
    }
}
