//! Query parameters: handlers read them by these names, and the OpenAPI document declares them.

/// A query parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parameter {
    Limit,
    Cursor,
    Day,
    AsOf,
    From,
    To,
    Actor,
    Action,
    Target,
    Stream,
    Waitlist,
    Correlation,
    Order,
    Format,
}

/// The parameters of an account's history.
pub const OF_AUDIT: [Parameter; 10] = [
    Parameter::From,
    Parameter::To,
    Parameter::Actor,
    Parameter::Action,
    Parameter::Target,
    Parameter::Waitlist,
    Parameter::Correlation,
    Parameter::Order,
    Parameter::Cursor,
    Parameter::Limit,
];

/// The parameters of an export of an account's history.
pub const OF_EXPORT: [Parameter; 4] = [Parameter::Format, Parameter::From, Parameter::To, Parameter::Cursor];

/// The parameters of a verification.
pub const OF_VERIFY: [Parameter; 3] = [Parameter::Stream, Parameter::Waitlist, Parameter::Cursor];

impl Parameter {
    pub const ALL: [Self; 14] = [
        Self::Limit,
        Self::Cursor,
        Self::Day,
        Self::AsOf,
        Self::From,
        Self::To,
        Self::Actor,
        Self::Action,
        Self::Target,
        Self::Stream,
        Self::Waitlist,
        Self::Correlation,
        Self::Order,
        Self::Format,
    ];

    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Limit => "limit",
            Self::Cursor => "cursor",
            Self::Day => "day",
            Self::AsOf => "as_of",
            Self::From => "from",
            Self::To => "to",
            Self::Actor => "actor",
            Self::Action => "action",
            Self::Target => "target",
            Self::Stream => "stream",
            Self::Waitlist => "waitlist",
            Self::Correlation => "correlation",
            Self::Order => "order",
            Self::Format => "format",
        }
    }
}
