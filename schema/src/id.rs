//! The names of things: accounts, lists, visits, streams, and who acted.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! uuid_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            /// Reads the hyphenated form, in lower case or capitals (RFC 9562, section 4).
            fn from_str(text: &str) -> Result<Self, NotAnId> {
                if text.len() != uuid::fmt::Hyphenated::LENGTH {
                    return Err(NotAnId);
                }
                Uuid::try_parse(text).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

/// The text is no UUID with hyphens.
#[derive(Debug, thiserror::Error)]
#[error("must be a UUID with hyphens, such as 01920000-0000-7000-8000-000000000000")]
pub struct NotAnId;

uuid_id! {
    /// An account: the owner of lists, and the tenant that data belongs to.
    UserId
}
uuid_id! {
    /// A waiting list.
    WaitlistId
}
uuid_id! {
    /// One party's visit.
    WaiteeId
}
uuid_id! {
    /// A mail to an owner. The welcome mail has the id of its account.
    MailId
}
uuid_id! {
    /// A sign-in, from its start until it is revoked or runs out.
    SessionId
}

/// What a stream is about: the part of its name before the first hyphen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// An account.
    User,
    /// A mail to an account's owner.
    Mail,
    /// A sign-in.
    Session,
    /// A waiting list.
    Waitlist,
    /// One party's visit.
    Waitee,
}

impl Category {
    /// All there are.
    pub const ALL: [Self; 5] = [Self::User, Self::Mail, Self::Session, Self::Waitlist, Self::Waitee];

    /// The category as it stands in stream names and event types.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mail => "mail",
            Self::Session => "session",
            Self::Waitlist => "waitlist",
            Self::Waitee => "waitee",
        }
    }
}

/// The name of a stream: `waitee-01920000-0000-7000-8000-000000000000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct StreamId {
    /// What the stream is about.
    pub category: Category,
    pub id: Uuid,
}

/// The text names no stream.
#[derive(Debug, thiserror::Error)]
#[error("names no stream")]
pub struct NotAStream;

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category.as_str(), self.id)
    }
}

impl FromStr for StreamId {
    type Err = NotAStream;

    fn from_str(text: &str) -> Result<Self, NotAStream> {
        let (category, id) = text.split_once('-').ok_or(NotAStream)?;
        let category = Category::ALL.into_iter().find(|c| c.as_str() == category).ok_or(NotAStream)?;
        let id: UserId = id.parse().map_err(|_| NotAStream)?;
        Ok(Self { category, id: id.0 })
    }
}

impl From<StreamId> for String {
    fn from(stream: StreamId) -> Self {
        stream.to_string()
    }
}

impl TryFrom<String> for StreamId {
    type Error = NotAStream;

    fn try_from(text: String) -> Result<Self, NotAStream> {
        text.parse()
    }
}

impl From<UserId> for StreamId {
    fn from(id: UserId) -> Self {
        Self { category: Category::User, id: id.0 }
    }
}

impl From<MailId> for StreamId {
    fn from(id: MailId) -> Self {
        Self { category: Category::Mail, id: id.0 }
    }
}

impl From<WaitlistId> for StreamId {
    fn from(id: WaitlistId) -> Self {
        Self { category: Category::Waitlist, id: id.0 }
    }
}

impl From<WaiteeId> for StreamId {
    fn from(id: WaiteeId) -> Self {
        Self { category: Category::Waitee, id: id.0 }
    }
}

impl From<SessionId> for StreamId {
    fn from(id: SessionId) -> Self {
        Self { category: Category::Session, id: id.0 }
    }
}

/// A part of the system that acts by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// Asks for mails to an owner in the name of callers who have not signed in.
    Accounts,
    /// Sends messages.
    Delivery,
    /// Forgets people.
    Eraser,
    /// A person with the system's own command line.
    Operator,
    /// Does what time has come for.
    Tick,
}

impl Component {
    const ALL: [Self; 5] = [Self::Accounts, Self::Delivery, Self::Eraser, Self::Operator, Self::Tick];

    fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Delivery => "delivery",
            Self::Eraser => "eraser",
            Self::Operator => "operator",
            Self::Tick => "tick",
        }
    }
}

/// Who caused a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Actor {
    /// A signed-in account.
    User(UserId),
    /// A guest, by their visit.
    Guest(WaiteeId),
    /// The system itself.
    System(Component),
}

/// The text names no actor.
#[derive(Debug, thiserror::Error)]
#[error("names no actor")]
pub struct NotAnActor;

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::User(id) => write!(f, "user:{id}"),
            Self::Guest(id) => write!(f, "guest:{id}"),
            Self::System(component) => write!(f, "system:{}", component.as_str()),
        }
    }
}

impl From<Actor> for String {
    fn from(actor: Actor) -> Self {
        actor.to_string()
    }
}

impl TryFrom<String> for Actor {
    type Error = NotAnActor;

    fn try_from(text: String) -> Result<Self, NotAnActor> {
        match text.split_once(':') {
            Some(("user", id)) => id.parse().map(Self::User).map_err(|_| NotAnActor),
            Some(("guest", id)) => id.parse().map(Self::Guest).map_err(|_| NotAnActor),
            Some(("system", name)) => {
                Component::ALL.into_iter().find(|c| c.as_str() == name).map(Self::System).ok_or(NotAnActor)
            }
            _ => Err(NotAnActor),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_named_by_category_and_id() {
        let name = "waitee-01920000-0000-7000-8000-000000000000";
        assert_eq!(name.parse::<StreamId>().unwrap().to_string(), name);
    }

    #[test]
    fn an_id_is_the_same_in_capitals() {
        let id: WaiteeId = "0192ABCD-EF00-7000-8000-00000000000F".parse().unwrap();
        assert_eq!(id.to_string(), "0192abcd-ef00-7000-8000-00000000000f");
        let stream: StreamId = "waitee-0192ABCD-EF00-7000-8000-00000000000F".parse().unwrap();
        assert_eq!(stream, id.into());
        for other in ["{0192abcd-ef00-7000-8000-00000000000f}", "0192abcdef007000800000000000000f"] {
            assert!(other.parse::<WaiteeId>().is_err(), "{other}");
        }
    }

    #[test]
    fn other_text_names_no_stream() {
        for text in [
            "",
            "waitee",
            "waitee-",
            "table-01920000-0000-7000-8000-000000000000",
            "waitee-0192000000007000800000000000000",
        ] {
            assert!(text.parse::<StreamId>().is_err(), "{text}");
        }
        assert!(
            "waitee-01920000000070008000000000000000".parse::<StreamId>().is_err(),
            "one stream, one name"
        );
    }
}
