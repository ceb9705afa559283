//! Operations on accounts and sessions.

use super::operation::{
    Effect::{Changes, Creates, Shows, Signs, Writes},
    Header, Operation,
};
use crate::{
    body::{
        Empty, Erasing,
        account::{
            AskPasswordReset, ChangeMe, ChangePassword, ConfirmEmail, EraseMe, Refresh, Register,
            ResetPassword, SignIn, Tokens,
        },
        system::Jwks,
    },
    problem::Slug::{
        AlreadyConfirmed, EmailTaken, HistoryFull, InvalidCredentials, InvalidRefreshToken, InvalidToken,
        InvalidValue, NotFound, TooManyRequests, WeakPassword, WrongPassword,
    },
    route::Accounts,
};

pub(super) fn operation(route: Accounts) -> Operation {
    match route {
        Accounts::Register => Operation::new(Creates, "register", "Register an account")
            .about("A welcome mail with a link that confirms the address is sent. Until then the account sends no texts.")
            .takes::<Register>()
            .written()
            .refuses(&[EmailTaken, InvalidValue, WeakPassword, TooManyRequests]),
        Accounts::ConfirmEmail => {
            Operation::new(Writes, "confirmEmail", "Confirm the e-mail address by a mailed token")
                .about("The link of the mail holds the token in its fragment. Following it again is no error.")
                .takes::<ConfirmEmail>()
                .refuses(&[InvalidToken, TooManyRequests])
        }
        Accounts::AskConfirmation => Operation::new(Writes, "askConfirmation", "Mail the confirmation link again")
            .takes::<Empty>()
            .written()
            .with_headers(&[Header::ETag, Header::SyncToken])
            .refuses(&[AlreadyConfirmed, NotFound, TooManyRequests]),
        Accounts::AskPasswordReset => {
            Operation::new(Writes, "askPasswordReset", "Mail a link that sets a new password")
                .about("The answer and its time are the same for an address without an account.")
                .takes::<AskPasswordReset>()
                .refuses(&[InvalidValue, TooManyRequests])
        }
        Accounts::ResetPassword => {
            Operation::new(Writes, "resetPassword", "Set a new password by a mailed token")
                .about("All sessions of the account end.")
                .takes::<ResetPassword>()
                .refuses(&[InvalidToken, InvalidValue, WeakPassword, TooManyRequests])
        }
        Accounts::Rename => Operation::new(Changes, "changeMe", "Change the account's name")
            .takes::<ChangeMe>()
            .written()
            .refuses(&[NotFound, HistoryFull, InvalidValue]),
        Accounts::ChangePassword => Operation::new(Changes, "changePassword", "Change the password")
            .about("All sessions of the account end, this one as well.")
            .takes::<ChangePassword>()
            .with_headers(&[])
            .refuses(&[NotFound, InvalidValue, WeakPassword, WrongPassword, TooManyRequests]),
        Accounts::Erase => Operation::new(Changes, "eraseMe", "Erase the account and the data of its guests")
            .about("Its tokens are refused from then on; its keys are deleted a moment later.")
            .takes::<EraseMe>()
            .answers::<Erasing>()
            .with_headers(&[])
            .refuses(&[NotFound, InvalidValue, WrongPassword, TooManyRequests]),
        Accounts::SignIn => Operation::new(Signs, "signIn", "Sign in")
            .takes::<SignIn>()
            .answers::<Tokens>()
            .refuses(&[InvalidCredentials, InvalidValue, TooManyRequests]),
        Accounts::Refresh => Operation::new(Signs, "refreshSession", "Exchange a refresh token for new tokens")
            .about(
                "The exchanged token gets the same successor again until that is first used, for 10 minutes at most. An \
                 older one ends the session.",
            )
            .takes::<Refresh>()
            .answers::<Tokens>()
            .refuses(&[InvalidRefreshToken]),
        Accounts::SignOut => {
            Operation::new(Signs, "signOut", "Sign out").refuses(&[NotFound, InvalidRefreshToken])
        }
        Accounts::Jwks => Operation::new(Shows, "getKeys", "The public keys that access tokens are signed with")
            .answers::<Jwks>()
            .with_headers(&[]),
    }
}
