//! Calls generic code for a projection that is known by its name.

/// `of_projection!(name, P => expression)`: the expression with `P` as the projection of this name.
macro_rules! of_projection {
    ($name:expr, $projection:ident => $value:expr) => {
        match $name {
            schema::projection::Name::Waitlists => {
                type $projection = $crate::waitlists::Waitlists;
                $value
            }
            schema::projection::Name::Waitees => {
                type $projection = $crate::waitees::Waitees;
                $value
            }
            schema::projection::Name::Users => {
                type $projection = $crate::users::Users;
                $value
            }
            schema::projection::Name::Mails => {
                type $projection = $crate::mails::Mails;
                $value
            }
        }
    };
}

pub(crate) use of_projection;
