//! Ids of subjects and streams, and the actors of commits.

use std::{fmt, str::FromStr};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, de};
use serde_with::{DeserializeFromStr, SerializeDisplay};
use uuid::Uuid;

use crate::described::{UUID, alternatives, described};

/// Declares the id of the subjects of a category: a UUID that also names the stream.
macro_rules! subject_id {
    ($(#[$doc:meta])* $name:ident, $category:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(inline)]
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

        impl From<$name> for StreamId {
            fn from(id: $name) -> Self {
                Self { category: Category::$category, id: id.0 }
            }
        }
    };
}

#[derive(Debug, thiserror::Error)]
#[error("must be a UUID with hyphens, such as 01920000-0000-7000-8000-000000000000")]
pub struct NotAnId;

subject_id! {
    /// An account: the owner of lists, and the tenant that data belongs to.
    UserId, User
}
subject_id! {
    /// A waiting list.
    WaitlistId, Waitlist
}
subject_id! {
    /// A visit: one stay of a party on a list.
    WaiteeId, Waitee
}
subject_id! {
    /// A mail to an owner. The welcome mail has the id of its account.
    MailId, Mail
}
subject_id! {
    /// A session: from a sign-in until it is revoked or expires.
    SessionId, Session
}

/// The kind of a stream's subject: the part of the stream's name before the first hyphen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// An account.
    User,
    /// A mail to an account's owner.
    Mail,
    Session,
    Waitlist,
    /// A visit.
    Waitee,
    /// Readings of an account's history by operators.
    Access,
    /// A projection: its generations and rebuilds. It belongs to no account.
    Projection,
}

impl Category {
    pub const ALL: [Self; 7] =
        [Self::User, Self::Mail, Self::Session, Self::Waitlist, Self::Waitee, Self::Access, Self::Projection];

    /// The word that stands in stream names and event types.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::Mail => "mail",
            Self::Session => "session",
            Self::Waitlist => "waitlist",
            Self::Waitee => "waitee",
            Self::Access => "access",
            Self::Projection => "projection",
        }
    }
}

/// The name of a stream: `waitee-01920000-0000-7000-8000-000000000000`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, SerializeDisplay)]
pub struct StreamId {
    pub category: Category,
    pub id: Uuid,
}

described!(StreamId, {
    "description": "The name of a stream: the kind of its subject, and the subject's id.",
    "type": "string",
    "pattern": format!("^({})-{UUID}$", alternatives(Category::ALL.map(Category::as_str))),
    "examples": ["waitee-01920000-0000-7000-8000-000000000002"],
});

#[derive(Debug, thiserror::Error)]
#[error("names no stream")]
pub struct NotAStream;

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.category.as_str(), self.id)
    }
}

impl StreamId {
    /// Reads a stored name, which has one spelling only. An item under another one was not written by this code.
    ///
    /// # Errors
    /// The text is not exactly the name of a stream.
    pub fn stored(name: &str) -> Result<Self, NotAStream> {
        let stream: Self = name.parse()?;
        if stream.to_string() == name { Ok(stream) } else { Err(NotAStream) }
    }
}

impl<'de> Deserialize<'de> for StreamId {
    /// As [`StreamId::stored`].
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::stored(&String::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

impl FromStr for StreamId {
    type Err = NotAStream;

    /// Reads a name that a client sends: the id may be in capitals.
    fn from_str(text: &str) -> Result<Self, NotAStream> {
        let (category, id) = text.split_once('-').ok_or(NotAStream)?;
        let category = Category::ALL.into_iter().find(|c| c.as_str() == category).ok_or(NotAStream)?;
        let id: UserId = id.parse().map_err(|_| NotAStream)?;
        Ok(Self { category, id: id.0 })
    }
}

/// A part of the system that commits without a signed-in account or guest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Component {
    /// Asks for mails to an owner on requests without an access token.
    Accounts,
    /// Sends messages.
    Delivery,
    /// Erases accounts and guests.
    Eraser,
    /// A person at the operator's command line.
    Operator,
    /// Rebuilds projections.
    Rebuild,
    /// Does what falls due by time.
    Tick,
}

impl Component {
    const ALL: [Self; 6] =
        [Self::Accounts, Self::Delivery, Self::Eraser, Self::Operator, Self::Rebuild, Self::Tick];

    fn as_str(self) -> &'static str {
        match self {
            Self::Accounts => "accounts",
            Self::Delivery => "delivery",
            Self::Eraser => "eraser",
            Self::Operator => "operator",
            Self::Rebuild => "rebuild",
            Self::Tick => "tick",
        }
    }
}

/// The person or component that caused a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, SerializeDisplay, DeserializeFromStr)]
pub enum Actor {
    /// A host, signed in to the account.
    User(UserId),
    /// A guest, by the id of their visit.
    Guest(WaiteeId),
    System(Component),
}

described!(Actor, {
    "description": "The person or component that caused an event.",
    "type": "string",
    "pattern": format!("^((user|guest):{UUID}|system:({}))$", alternatives(Component::ALL.map(Component::as_str))),
    "examples": ["user:01920000-0000-7000-8000-00000000000a"],
});

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

impl FromStr for Actor {
    type Err = NotAnActor;

    fn from_str(text: &str) -> Result<Self, NotAnActor> {
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
    fn a_stream_name_is_its_category_and_id() {
        let name = "waitee-01920000-0000-7000-8000-000000000000";
        assert_eq!(name.parse::<StreamId>().unwrap().to_string(), name);
    }

    #[test]
    fn an_id_in_capitals_is_the_same_id() {
        let id: WaiteeId = "0192ABCD-EF00-7000-8000-00000000000F".parse().unwrap();
        assert_eq!(id.to_string(), "0192abcd-ef00-7000-8000-00000000000f");
        let stream: StreamId = "waitee-0192ABCD-EF00-7000-8000-00000000000F".parse().unwrap();
        assert_eq!(stream, id.into());
        let (own, other) = (stream.to_string(), "waitee-0192ABCD-EF00-7000-8000-00000000000F");
        assert_eq!(StreamId::stored(&own).unwrap(), stream);
        assert!(StreamId::stored(other).is_err(), "a stored name has one spelling");
        assert!(serde_json::from_value::<StreamId>(other.into()).is_err());
        for other in ["{0192abcd-ef00-7000-8000-00000000000f}", "0192abcdef007000800000000000000f"] {
            assert!(other.parse::<WaiteeId>().is_err(), "{other}");
        }
    }

    #[test]
    fn other_texts_are_refused_as_stream_names() {
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
            "a stream has one name only"
        );
    }
}
