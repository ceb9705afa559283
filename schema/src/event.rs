//! Domain events: the trait, and the macro that declares a category's events.

use serde::Serialize;
use serde_json::value::RawValue;

use crate::id::Category;

/// The events of one category of streams. Implemented by [`events!`] alone.
///
/// Serialising an event writes its `data`; type and version stand beside it in the stored text.
pub trait DomainEvent: Serialize + Clone + Send + Sync + 'static {
    const CATEGORY: Category;

    /// Every stored type, with the version that is written.
    const TYPES: &'static [(&'static str, u32)];

    /// The stored type and the version it is written with: `("waitee.joined", 1)`. A stored name never
    /// changes.
    fn stored_type(&self) -> (&'static str, u32);

    /// Reads the data of a stored event. Returns `None` if this code does not know the type or version.
    fn read(kind: &str, v: u32, data: &RawValue) -> Option<serde_json::Result<Self>>;

    fn type_name(&self) -> &'static str {
        self.stored_type().0
    }
}

/// Declares the events of a category, each in one line: stored type, version and variant.
///
/// ```text
/// events! {
///     /// An event of a visit.
///     Waitee;
///     /// The table is ready.
///     "waitee.called" v1 => Called { hold_until: Time },
///     "waitee.seated" v1 => Seated(Why),
///     message Notification {
///         "waitee.notification-started" v1 => Started,
///     }
/// }
/// ```
///
/// Declares `enum Event` and implements [`DomainEvent`] for it. The variants under `message` are those of
/// [`crate::message::Event`], held in one variant of the given name. `v2 from { 1 => upgrade }` also reads
/// version 1: `upgrade` converts its shape to the payload.
macro_rules! events {
    // Reads the data of one variant: a payload, or the fields of a struct variant.
    (@read $data:ident $variant:ident ($payload:ty)) => {
        serde_json::from_str::<$payload>($data.get()).map(Self::$variant)
    };
    (@read $data:ident $variant:ident { $($(#[$attribute:meta])* $field:ident: $type:ty,)* }) => {{
        #[derive(serde::Deserialize)]
        struct Data {
            $($(#[$attribute])* $field: $type,)*
        }
        serde_json::from_str($data.get()).map(|Data { $($field,)* }| Self::$variant { $($field,)* })
    }};
    (
        $(#[$documentation:meta])*
        $category:ident;
        $(
            $(#[$about:meta])*
            $kind:literal $version:ident $(from { $($old:literal => $upgrade:path,)+ })?
                => $variant:ident $(($payload:ty))? $({ $($(#[$attribute:meta])* $field:ident: $type:ty),* $(,)? })?,
        )+
        $(message $message:ident { $($message_kind:literal $message_version:ident => $outcome:ident,)+ })?
    ) => {
        $(#[$documentation])*
        #[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
        #[serde(untagged)]
        pub enum Event {
            $($(#[$about])* $variant $(($payload))? $({ $($(#[$attribute])* $field: $type,)* })?,)+
            $(
                /// An event of a message.
                $message($crate::message::Event),
            )?
        }

        impl $crate::event::DomainEvent for Event {
            const CATEGORY: $crate::id::Category = $crate::id::Category::$category;

            const TYPES: &'static [(&'static str, u32)] = &[
                $(($kind, $crate::event::version(stringify!($version))),)+
                $($(($message_kind, $crate::event::version(stringify!($message_version))),)+)?
            ];

            fn stored_type(&self) -> (&'static str, u32) {
                match self {
                    $(Self::$variant { .. } => {
                        ($kind, const { $crate::event::version(stringify!($version)) })
                    })+
                    $(
                        Self::$message(event) => match event {
                            $($crate::message::Event::$outcome(_) => {
                                ($message_kind, const { $crate::event::version(stringify!($message_version)) })
                            })+
                        },
                    )?
                }
            }

            fn read(
                kind: &str,
                v: u32,
                data: &serde_json::value::RawValue,
            ) -> Option<serde_json::Result<Self>> {
                Some(match kind {
                    $(
                        $($($kind if v == $old => serde_json::from_str(data.get()).map($upgrade).map(Self::$variant),)+)?
                        $kind if v == const { $crate::event::version(stringify!($version)) } => {
                            $crate::event::events!(@read data $variant $(($payload))? $({ $($(#[$attribute])* $field: $type,)* })?)
                        }
                    )+
                    $($(
                        $message_kind if v == const { $crate::event::version(stringify!($message_version)) } => serde_json::from_str(data.get())
                            .map($crate::message::Event::$outcome)
                            .map(Self::$message),
                    )+)?
                    _ => return None,
                })
            }
        }
    };
}

pub(crate) use events;

/// The number of a version written as `v1` to `v9`. It is evaluated at compile time.
#[expect(clippy::panic, reason = "a version that is not written so does not compile")]
pub(crate) const fn version(text: &str) -> u32 {
    match *text.as_bytes() {
        [b'v', digit @ b'1'..=b'9'] => (digit - b'0') as u32,
        _ => panic!("a version is written v1 to v9"),
    }
}

#[cfg(test)]
mod tests;
