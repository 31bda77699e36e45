//! Everybody who is in a document or a namespace now: so that what changes about a token changes what its sessions may do.
//!
//! The promise: what is taken back from a token, or runs out, is gone from its open sessions within a second.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::access::{Grant, Pass, Role, TokenId};
use crate::auth::{Access, Refusal};
use crate::delivery::Ending;
use crate::hooks::Front;
use crate::ids::DocName;
use crate::shutdown::Tasks;

/// Everybody who is there now. Cloning gives another handle to the same.
#[derive(Debug, Clone, Default)]
pub struct Sessions {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    open: Mutex<HashMap<SessionId, Arc<Standing>>>,
    next: AtomicU64,
    /// When passes expire, the next one first. Those of sessions that have ended stay until then, or until there are too many.
    expiries: Mutex<BinaryHeap<Reverse<(Instant, SessionId)>>>,
    /// One expires sooner than all others.
    sooner: Notify,
}

/// The number of a session inside one run of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SessionId(pub u64);

/// The way to the client of a session.
pub trait Holder: Send + Sync + fmt::Debug + 'static {
    /// What it may do has changed.
    fn tell(&self, grant: Grant);

    /// The session is to end.
    fn end(&self, ending: Ending);
}

/// Who comes in, and where.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// By what.
    pub pass: Pass,
    /// With which role at most, whatever the pass says: what the client itself has asked for.
    pub at_most: Role,
    /// Into which document; none for a namespace of a gateway.
    pub doc: Option<DocName>,
    /// By which front.
    pub front: Front,
    /// From where, if that is known.
    pub remote: Option<SocketAddr>,
}

/// What a session may do now.
#[derive(Debug)]
struct Standing {
    /// The level of the role, or [`ENDED`].
    role: AtomicU8,
    visitor: Mutex<Visitor>,
    /// When it is looked whether the pass has expired, if ever.
    looked_at: Mutex<Option<Instant>>,
    since: SystemTime,
    holder: Arc<dyn Holder>,
}

/// A session among the others, until it is dropped.
#[derive(Debug)]
pub struct Seated {
    sessions: Sessions,
    id: SessionId,
    standing: Arc<Standing>,
}

/// A session as others may see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SessionInfo {
    /// Its number.
    pub session: SessionId,
    /// Who it is.
    pub user: Option<Arc<str>>,
    /// Which token it came with.
    pub token: Option<TokenId>,
    /// The document; none for a namespace of a gateway.
    pub document: Option<DocName>,
    /// What it may do.
    pub role: Role,
    /// How it came: the name of a [`Front`].
    pub front: &'static str,
    /// Where it comes from.
    pub address: Option<IpAddr>,
    /// When it began.
    #[serde(with = "humantime_serde")]
    pub since: SystemTime,
    /// When its pass expires.
    #[serde(with = "humantime_serde")]
    pub expires: Option<SystemTime>,
}

/// What a review has come to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Reviewed {
    /// So many sessions are ended.
    pub ended: usize,
    /// So many may do something else now.
    pub changed: usize,
}

impl Sessions {
    /// Somebody comes in who may do this; `None` when the pass is for something else.
    #[must_use]
    pub fn enter(&self, visitor: Visitor, holder: Arc<dyn Holder>) -> Option<Seated> {
        let role = visitor.grant()?.role;
        let id = SessionId(self.shared.next.fetch_add(1, Ordering::Relaxed) + 1);
        let expires = visitor.pass.expires;
        let (role, visitor) = (AtomicU8::new(role.level()), Mutex::new(visitor));
        let looked_at = Mutex::default();
        let standing = Arc::new(Standing { role, visitor, looked_at, since: SystemTime::now(), holder });
        self.open().insert(id, Arc::clone(&standing));
        self.expect_expiry(id, &standing, expires);
        Some(Seated { sessions: self.clone(), id, standing })
    }

    /// Everybody for whom something holds, in the order in which they came.
    #[must_use]
    pub fn list(&self, mut holds: impl FnMut(&SessionInfo) -> bool) -> Vec<SessionInfo> {
        let mut list: Vec<_> = self.open().iter().map(|(id, standing)| standing.info(*id)).collect();
        list.retain(|info| holds(info));
        list.sort_by_key(|info| info.session);
        list
    }

    /// Ends everybody for whom something holds; says how many.
    pub fn end(&self, ending: &Ending, mut holds: impl FnMut(&SessionInfo) -> bool) -> usize {
        let all: Vec<_> = self.open().iter().map(|(id, standing)| (*id, Arc::clone(standing))).collect();
        let mut ended = 0;
        for (_, standing) in all.iter().filter(|(id, standing)| holds(&standing.info(*id))) {
            standing.end(ending.clone());
            ended += 1;
        }
        ended
    }

    /// Looks at everybody's pass again, after something was taken back or given back.
    #[expect(clippy::must_use_candidate, reason = "the numbers are for whoever wants to know")]
    pub fn review(&self, access: &Access) -> Reviewed {
        let all: Vec<_> = self.open().values().cloned().collect();
        let mut reviewed = Reviewed::default();
        for standing in all {
            let pass = standing.visitor().pass.clone();
            match access.review(&pass) {
                Ok(pass) => match standing.renew(pass) {
                    Renewed::Ended => reviewed.ended += 1,
                    Renewed::Changed => reviewed.changed += 1,
                    Renewed::Same => {}
                },
                Err(refusal) => {
                    standing.end(refusal.into());
                    reviewed.ended += 1;
                }
            }
        }
        reviewed
    }

    /// Ends sessions whose passes expire, when they do; until the server stops.
    pub async fn watch_expiries(self, tasks: Tasks) {
        loop {
            let next = self.expiries().peek().map(|Reverse((at, _))| *at);
            let expiry = async {
                match next {
                    Some(at) => sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = tasks.stopped() => return,
                () = self.shared.sooner.notified() => {}
                () = expiry => self.end_expired(),
            }
        }
    }

    fn end_expired(&self) {
        let now = Instant::now();
        loop {
            let (at, id) = {
                let mut expiries = self.expiries();
                match expiries.peek() {
                    Some(Reverse((at, id))) if *at <= now => {
                        let due = (*at, *id);
                        expiries.pop();
                        due
                    }
                    _ => return,
                }
            };
            let standing = self.open().get(&id).cloned();
            let Some(standing) = standing else { continue };
            {
                let mut looked_at = standing.looked_at();
                // A sooner look has taken its place.
                if *looked_at != Some(at) {
                    continue;
                }
                *looked_at = None;
            }
            // It may have been renewed meanwhile.
            let newest = standing.visitor().pass.expires;
            if newest.is_some_and(|at| at <= SystemTime::now()) {
                standing.end(Ending::Expired);
            } else {
                self.expect_expiry(id, &standing, newest);
            }
        }
    }

    /// Sees to it that it is looked at when the pass expires; not again when it is looked at sooner anyway.
    fn expect_expiry(&self, id: SessionId, standing: &Standing, expires: Option<SystemTime>) {
        let Some(expires) = expires else { return };
        let left = expires.duration_since(SystemTime::now()).unwrap_or_default();
        // Clocks may be set: it is looked at again, a year from now at the latest.
        let at = Instant::now() + left.min(LONGEST_LOOK) + JUST_AFTER;
        {
            let mut looked_at = standing.looked_at();
            if looked_at.is_some_and(|look| look <= at + JUST_AFTER) {
                return;
            }
            *looked_at = Some(at);
        }
        let is_first = {
            let mut queue = self.expiries();
            let is_first = queue.peek().is_none_or(|Reverse((first, _))| at < *first);
            queue.push(Reverse((at, id)));
            is_first
        };
        if is_first {
            self.shared.sooner.notify_one();
        }
        self.forget_the_gone();
    }

    /// Those who came and went leave no more behind than there are sessions.
    fn forget_the_gone(&self) {
        let open = self.open();
        let mut expiries = self.expiries();
        if expiries.len() > 2 * open.len() + FEW {
            expiries.retain(|Reverse((_, id))| open.contains_key(id));
        }
    }

    fn open(&self) -> MutexGuard<'_, HashMap<SessionId, Arc<Standing>>> {
        self.shared.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn expiries(&self) -> MutexGuard<'_, BinaryHeap<Reverse<(Instant, SessionId)>>> {
        self.shared.expiries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Visitor {
    /// What it may do: in its document, or in a namespace whatever it may do anywhere.
    #[must_use]
    pub fn grant(&self) -> Option<Grant> {
        match &self.doc {
            Some(doc) => self.pass.grant(doc).map(|grant| grant.at_most(self.at_most)),
            None => Some(Grant::of(self.at_most)),
        }
    }
}

enum Renewed {
    Same,
    Changed,
    Ended,
}

impl Standing {
    fn renew(&self, pass: Pass) -> Renewed {
        let grant = {
            let mut visitor = self.visitor();
            visitor.pass = pass;
            visitor.grant()
        };
        let Some(grant) = grant else {
            self.end(Ending::Revoked);
            return Renewed::Ended;
        };
        let level = grant.role.level();
        let unless_ended = |before| (before != ENDED).then_some(level);
        match self.role.fetch_update(Ordering::Relaxed, Ordering::Relaxed, unless_ended) {
            Err(_) => Renewed::Ended,
            Ok(before) if before == level => Renewed::Same,
            Ok(_) => {
                self.holder.tell(grant);
                Renewed::Changed
            }
        }
    }

    /// Ends the session. What its client sends from now on is of no effect, however long it takes until it is gone.
    fn end(&self, ending: Ending) {
        self.role.store(ENDED, Ordering::Relaxed);
        self.holder.end(ending);
    }

    fn looked_at(&self) -> MutexGuard<'_, Option<Instant>> {
        self.looked_at.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn info(&self, session: SessionId) -> SessionInfo {
        let visitor = self.visitor();
        SessionInfo {
            session,
            user: visitor.pass.user.clone(),
            token: visitor.pass.token,
            document: visitor.doc.clone(),
            role: Role::from_level(self.role.load(Ordering::Relaxed)),
            front: visitor.front.name(),
            address: visitor.remote.map(|remote| remote.ip()),
            since: self.since,
            expires: visitor.pass.expires,
        }
    }

    fn visitor(&self) -> MutexGuard<'_, Visitor> {
        self.visitor.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seated {
    /// What the session may do now.
    #[must_use]
    pub fn grant(&self) -> Grant {
        Grant::of(Role::from_level(self.standing.role.load(Ordering::Relaxed)))
    }

    /// The same; `None` once it was ended.
    #[must_use]
    pub fn standing(&self) -> Option<Grant> {
        let level = self.standing.role.load(Ordering::Relaxed);
        (level != ENDED).then(|| Grant::of(Role::from_level(level)))
    }

    /// By what it is there, as far as that is left.
    #[must_use]
    pub fn pass(&self) -> Pass {
        self.standing.visitor().pass.clone()
    }

    /// The client has brought a newer token: what that is good for counts from now on. It must be of the same user.
    pub fn renew(&self, access: &Access, pass: &Pass) {
        let earlier = self.standing.visitor().pass.user.clone();
        if earlier.is_some() && earlier != pass.user {
            return self.standing.end(Ending::Forbidden("a newer token must be of the same user".to_owned()));
        }
        self.standing.renew(pass.clone());
        self.sessions.expect_expiry(self.id, &self.standing, pass.expires);
        self.review(access, pass);
    }

    /// Looks at a pass again that was found to be good a while ago: what was taken back since reached only what was known then.
    pub fn review(&self, access: &Access, pass: &Pass) {
        match access.review(pass) {
            Ok(now) if now != *pass => drop(self.standing.renew(now)),
            Ok(_) => {}
            Err(refusal) => self.standing.end(refusal.into()),
        }
    }
}

impl Drop for Seated {
    fn drop(&mut self) {
        self.sessions.open().remove(&self.id);
    }
}

impl From<Refusal> for Ending {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Expired => Self::Expired,
            Refusal::Revoked => Self::Revoked,
            Refusal::Forbidden(_) => Self::Forbidden(refusal.to_string()),
            Refusal::Unavailable => Self::Unavailable(refusal.to_string()),
            Refusal::NoToken | Refusal::Invalid(_) => Self::Unauthorized(refusal.to_string()),
        }
    }
}

/// In the place of a role's level: the session is over.
const ENDED: u8 = u8::MAX;
const LONGEST_LOOK: Duration = Duration::from_hours(365 * 24);
/// A pass that has expired to the second is not looked at a moment too early.
const JUST_AFTER: Duration = Duration::from_millis(20);
const FEW: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::Rule;

    #[derive(Debug, Default)]
    struct Heard {
        said: Mutex<Vec<String>>,
    }

    impl Holder for Heard {
        fn tell(&self, grant: Grant) {
            self.said.lock().unwrap().push(grant.role.to_string());
        }

        fn end(&self, ending: Ending) {
            self.said.lock().unwrap().push(ending.to_string());
        }
    }

    impl Heard {
        fn said(&self) -> Vec<String> {
            std::mem::take(&mut *self.said.lock().unwrap())
        }
    }

    fn visitor(user: &str, role: Role) -> Visitor {
        let docs = "a*".parse().unwrap();
        let pass = Pass { user: Some(user.into()), rules: [Rule { docs, role }].into(), ..Pass::everyone(Role::View) };
        let doc = Some(DocName::parse("a").unwrap());
        Visitor { pass, at_most: Role::Admin, doc, front: Front::YWebSocket, remote: None }
    }

    fn enter(sessions: &Sessions, visitor: Visitor) -> (Arc<Heard>, Seated) {
        let heard = Arc::new(Heard::default());
        let seated = sessions.enter(visitor, heard.clone()).unwrap();
        (heard, seated)
    }

    #[tokio::test]
    async fn what_is_taken_back_is_gone_from_open_sessions() {
        use crate::auth::{Revocation, Whom};
        let (sessions, access) = (Sessions::default(), Access::everyone(Role::Edit));
        let (ann, of_ann) = enter(&sessions, visitor("ann", Role::Edit));
        let (bob, _of_bob) = enter(&sessions, visitor("bob", Role::Edit));
        let revoke = async |docs: &str, at_most| {
            let whom = Whom::User("ann".to_owned());
            let docs = docs.parse().unwrap();
            let revocation = Revocation { whom, docs, at_most, since: SystemTime::now(), until: None };
            access.take_back(revocation).unwrap();
            sessions.review(&access)
        };
        assert_eq!(revoke("b", None).await, Reviewed::default());
        assert_eq!(revoke("a", Some(Role::View)).await, Reviewed { ended: 0, changed: 1 });
        assert_eq!((of_ann.grant(), ann.said()), (Grant::of(Role::View), vec!["view".to_owned()]));
        assert_eq!(revoke("a*", None).await, Reviewed { ended: 1, changed: 0 });
        assert_eq!(ann.said(), ["access was revoked"]);
        assert_eq!(revoke("*", None).await, Reviewed { ended: 1, changed: 0 });
        assert_eq!(bob.said(), Vec::<String>::new());
    }

    #[tokio::test]
    async fn who_has_gone_is_not_there() {
        let sessions = Sessions::default();
        let (_, seat) = enter(&sessions, visitor("ann", Role::Edit));
        let (heard, of_bob) = enter(&sessions, visitor("bob", Role::View));
        let users = || sessions.list(|_| true).into_iter().filter_map(|info| info.user).map(|user| user.to_string());
        assert_eq!(users().collect::<Vec<_>>(), ["ann", "bob"]);
        drop(seat);
        assert_eq!(users().collect::<Vec<_>>(), ["bob"]);
        assert_eq!(sessions.end(&Ending::Kicked, |info| info.user.as_deref() == Some("ann")), 0);
        assert_eq!(sessions.end(&Ending::Kicked, |info| info.user.as_deref() == Some("bob")), 1);
        assert_eq!(heard.said(), [Ending::Kicked.to_string()]);
        of_bob.renew(&Access::everyone(Role::Edit), &visitor("bob", Role::Edit).pass);
        assert_eq!((of_bob.standing(), heard.said()), (None, vec![]), "what was ended stays so");
    }

    #[tokio::test]
    async fn a_newer_token_of_another_user_ends_the_session() {
        let sessions = Sessions::default();
        let (heard, seat) = enter(&sessions, visitor("ann", Role::View));
        seat.renew(&Access::everyone(Role::Edit), &visitor("bob", Role::Edit).pass);
        assert_eq!((seat.standing(), heard.said().len()), (None, 1));
    }

    #[tokio::test]
    async fn a_pass_that_was_taken_back_meanwhile_is_looked_at_again() {
        use crate::auth::{Revocation, Whom};
        let (sessions, access) = (Sessions::default(), Access::everyone(Role::Edit));
        let ann = visitor("ann", Role::Edit);
        let (heard, seat) = enter(&sessions, ann.clone());
        let (whom, docs) = (Whom::User("ann".to_owned()), "*".parse().unwrap());
        let revocation = Revocation { whom, docs, at_most: None, since: SystemTime::now(), until: None };
        access.take_back(revocation).unwrap();
        seat.renew(&access, &ann.pass);
        assert_eq!((seat.standing(), heard.said()), (None, vec![Ending::Revoked.to_string()]));
    }

    #[tokio::test]
    async fn a_pass_for_another_document_lets_nobody_in() {
        let other = Visitor { doc: Some(DocName::parse("b").unwrap()), ..visitor("ann", Role::Admin) };
        assert!(Sessions::default().enter(other, Arc::new(Heard::default())).is_none());
    }

    #[tokio::test]
    async fn a_session_ends_when_its_pass_does_unless_it_was_renewed() {
        let (sessions, tasks) = (Sessions::default(), Tasks::new());
        tasks.spawn(sessions.clone().watch_expiries(tasks.clone()));
        let soon = || Some(SystemTime::now() + Duration::from_millis(200));
        let mut brief = visitor("ann", Role::Edit);
        brief.pass.expires = soon();
        let (ann, _seat) = enter(&sessions, brief.clone());
        let (bob, renewed) = enter(&sessions, brief);
        renewed.renew(&Access::everyone(Role::Edit), &visitor("ann", Role::View).pass);
        tokio::time::sleep(Duration::from_millis(600)).await;
        assert_eq!(ann.said(), ["the token has expired"]);
        assert_eq!(bob.said(), ["view"]);
        tasks.stop();
        assert!(tasks.drain(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn who_comes_and_goes_leaves_nothing_behind() {
        let sessions = Sessions::default();
        let mut visitor = visitor("ann", Role::Edit);
        visitor.pass.expires = Some(SystemTime::now() + Duration::from_mins(1));
        for _ in 0..1000 {
            drop(enter(&sessions, visitor.clone()));
        }
        assert!(sessions.expiries().len() <= FEW + 2);
        let (_, seat) = enter(&sessions, visitor.clone());
        let before = sessions.expiries().len();
        for _ in 0..1000 {
            seat.renew(&Access::everyone(Role::Edit), &visitor.pass);
        }
        assert!(sessions.expiries().len() <= before, "a session is looked at once, however often it is renewed");
    }
}
