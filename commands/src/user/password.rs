//! Passwords: whether one is good, and how it is kept.
//!
//! Argon2id with the parameters that OWASP recommends for it:
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>.

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{
        PasswordHasher, PasswordVerifier,
        phc::{self, PasswordHash as Phc},
    },
};
use infra::{Failure, clock::random};
use schema::{
    Problem, Slug,
    sealed::Personal,
    value::{Password, PasswordHash},
};
use tokio::sync::Semaphore;
use zxcvbn::{Score, zxcvbn};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// How many are hashed side by side in one process: 19 MiB each.
const HASHES_AT_ONCE: usize = 4;
static HASHING: Semaphore = Semaphore::const_new(HASHES_AT_ONCE);

/// What a password is checked against when there is no account: nobody knows one that fits, and it takes as long to find out.
pub(crate) const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$d2FpdGxpc3QgZGVjb3kgMQ$kSzYBcJtbSkPjKw5FQwRGcWqlDZTjbhTTW7IvHqAfcw";

/// How much of a password is judged. Who makes one of signs that may stand for several letters has the judge try them all: this
/// many take a few hashes' time, and it grows faster than they do.
const JUDGED_CHARS_MAX: usize = 40;

/// Whether a password would hold against a guesser who knows names, words and what leaked elsewhere.
///
/// # Errors
/// 422, saying what would make it better.
pub(crate) async fn check(password: &Password, known: &[&str]) -> Result<(), Failure> {
    let (password, known) = (password.clone(), known.iter().map(ToString::to_string).collect::<Vec<_>>());
    aside(move || Ok(judge(&password, &known)?)).await
}

fn judge(password: &Password, known: &[String]) -> Result<(), Problem> {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let start: String = password.clear().chars().take(JUDGED_CHARS_MAX).collect();
    let judged = zxcvbn(&start, &known);
    if judged.score() >= Score::Three {
        return Ok(());
    }
    // The judge's words are about the form of a password; they do not repeat it.
    let advice = judged.feedback().map(|feedback| {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        warning.into_iter().chain(suggestions).collect::<Vec<_>>().join(" ")
    });
    let advice =
        advice.filter(|advice| !advice.is_empty()).unwrap_or_else(|| "Add another word or two.".into());
    Err(Problem::new(Slug::WeakPassword, format!("The password would be guessed. {advice}")))
}

/// What to keep of a password.
///
/// # Errors
/// The machine cannot hash.
pub(crate) async fn hash(password: &Password) -> Result<PasswordHash, Failure> {
    let password = password.clone();
    let phc = aside(move || {
        let hashed: Result<phc::PasswordHash, _> = argon2().and_then(|argon2| {
            argon2.hash_password_with_salt(password.clear().as_bytes(), &random::<SALT_BYTES>())
        });
        hashed
            .map(|phc| phc.to_string())
            .map_err(|cause| Failure::broken("hash a password", cause.to_string()))
    });
    Ok(PasswordHash::from_clear(phc.await?))
}

/// Whether a password is the one that was hashed. Takes as long either way.
///
/// # Errors
/// What was kept is no hash.
pub(crate) async fn fits(password: &Password, hash: &PasswordHash) -> Result<bool, Failure> {
    let (password, hash) = (password.clone(), hash.clone());
    aside(move || {
        let doing = "read a password's hash";
        let phc = Phc::new(hash.clear()).map_err(|cause| Failure::broken(doing, cause.to_string()))?;
        let argon2 = argon2().map_err(|cause| Failure::broken(doing, cause.to_string()))?;
        Ok(argon2.verify_password(password.clear().as_bytes(), &phc).is_ok())
    })
    .await
}

fn argon2() -> argon2::password_hash::Result<Argon2<'static>> {
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(MEMORY_KIB, PASSES, LANES, None)?))
}

/// Off the threads that serve everybody else.
async fn aside<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let _one_of_few =
        HASHING.acquire().await.map_err(|cause| Failure::broken("wait to hash a password", cause))?;
    tokio::task::spawn_blocking(work).await.map_err(|cause| Failure::broken("hash a password", cause))?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn password(text: &str) -> Password {
        Password::parse(text).unwrap()
    }

    #[test]
    fn a_password_that_would_be_guessed_is_refused_with_advice() {
        for weak in [
            "password",
            "12345678",
            "qwertyuiop",
            "Passw0rd!",
            "aaaaaaaaaaaa",
            "ana@example.com",
            "Ana Maria",
        ] {
            let known = ["Ana Maria", "ana@example.com"].map(str::to_owned);
            let problem = judge(&password(weak), &known).unwrap_err();
            assert_eq!(problem.slug, Slug::WeakPassword, "{weak}");
            assert!(problem.detail.len() > "The password would be guessed. ".len(), "{}", problem.detail);
            assert!(weak == "password" || !problem.detail.contains(weak), "{}", problem.detail);
        }
        for good in ["correct horse battery staple", "w8-list.At~Door", "ünïcödé pässwörter überall"] {
            judge(&password(good), &["Ana Maria".to_owned()]).unwrap();
        }
    }

    #[test]
    fn a_password_is_judged_by_its_start() {
        let good = "correct horse battery staple";
        judge(&password(good), &[]).unwrap();
        let late = format!("{}{good}", "a".repeat(JUDGED_CHARS_MAX));
        assert_eq!(judge(&password(&late), &[]).unwrap_err().slug, Slug::WeakPassword);
    }

    #[tokio::test]
    async fn judging_a_password_holds_up_nobody_else() {
        let all_at_once = password(&"(4@8({[</3#69&!1/|0$5+7%2".repeat(4)); // every sign that may stand for several letters
        let judging = check(&all_at_once, &[]);
        tokio::select! {
            biased;
            _ = judging => panic!("nobody else got a turn"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[tokio::test]
    async fn a_password_fits_its_own_hash_alone() {
        let hash = hash(&password("correct horse battery staple")).await.unwrap();
        assert!(hash.clear().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "OWASP's parameters");
        assert!(fits(&password("correct horse battery staple"), &hash).await.unwrap());
        assert!(!fits(&password("correct horse battery stapler"), &hash).await.unwrap());
        assert!(
            fits(&password("whatever it is"), &PasswordHash::from_clear("no hash".into())).await.is_err()
        );
    }

    #[tokio::test]
    async fn the_decoy_is_hashed_as_everything_else_is() {
        let decoy = Phc::new(DECOY).unwrap();
        let real = hash(&password("correct horse battery staple")).await.unwrap();
        let real = Phc::new(real.clear()).unwrap();
        assert_eq!(
            (decoy.algorithm, decoy.version, &decoy.params),
            (real.algorithm, real.version, &real.params)
        );
        assert_eq!(decoy.hash.map(|hash| hash.len()), real.hash.map(|hash| hash.len()));
        assert!(!fits(&password("password"), &PasswordHash::from_clear(DECOY.into())).await.unwrap());
    }
}
