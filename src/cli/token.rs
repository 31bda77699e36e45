//! `ydock token`: a token for somebody, made with the key of a server.

use std::fs;

use super::arguments::Token;
use super::error::CommandError;
use super::output::{Outcome, print};
use crate::access::Rule;
use crate::auth::Keys;

/// Makes a token and prints it.
///
/// # Errors
/// When the key cannot be read or does not sign, or the server would not take such a token.
pub fn token(arguments: &Token) -> Result<Outcome, CommandError> {
    let path = &arguments.auth_key;
    let content = fs::read(path).map_err(|source| CommandError::Read { path: path.clone(), source })?;
    let keys = Keys::parse(&content).map_err(|source| CommandError::Key { path: path.clone(), source })?;
    let rules: Vec<_> = arguments.docs.iter().map(|docs| Rule { docs: docs.clone(), role: arguments.role }).collect();
    print(&keys.mint(arguments.user.as_deref(), &rules, arguments.ttl)?)?;
    Ok(Outcome::Done)
}
