//! Passwords: judging their strength, hashing them, and comparing them with hashes.
//!
//! Argon2id with the parameters that OWASP recommends for it:
//! <https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id>.

mod hashing;

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::phc::{Output, ParamsString, PasswordHash as Phc, Salt},
};
use infra::{Failure, clock::random};
use schema::{
    Problem, Slug,
    sealed::Personal,
    value::{Password, PasswordHash},
};
use zxcvbn::{Score, zxcvbn};

use self::hashing::{aside, hash_into};

const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
const SALT_BYTES: usize = 16;

/// The hash that is compared when there is no account, so that the answer takes as long. No password is known
/// to fit it.
pub(crate) const DECOY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$d2FpdGxpc3QgZGVjb3kgMQ$kSzYBcJtbSkPjKw5FQwRGcWqlDZTjbhTTW7IvHqAfcw";

/// The part of a password that is judged. The estimator tries every letter that a sign may stand for, and its
/// time grows faster than the number of signs: this many take as long as a few hashes.
const JUDGED_CHARS_MAX: usize = 40;

/// Refuses a password that a guesser with names, words and leaked passwords would find. `known` are the
/// owner's name and address.
///
/// # Errors
/// 422 with advice for a better password.
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
    // The advice is about the form of the password and does not repeat it.
    let advice = judged.feedback().map(|feedback| {
        let warning = feedback.warning().map(|warning| warning.to_string());
        let suggestions = feedback.suggestions().iter().map(ToString::to_string);
        warning.into_iter().chain(suggestions).collect::<Vec<_>>().join(" ")
    });
    let advice =
        advice.filter(|advice| !advice.is_empty()).unwrap_or_else(|| "Add another word or two.".into());
    Err(Problem::new(Slug::WeakPassword, format!("The password would be guessed. {advice}")))
}

/// Hashes a password, to be stored.
///
/// # Errors
/// 503 when too many passwords are being hashed.
pub(crate) async fn hash(password: &Password) -> Result<PasswordHash, Failure> {
    let password = password.clone();
    let failed = |cause: String| Failure::broken("hash a password", cause);
    aside(move || {
        let params =
            Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|cause| failed(cause.to_string()))?;
        let salt = random::<SALT_BYTES>();
        let phc = Phc {
            algorithm: Algorithm::Argon2id.ident(),
            version: Some(Version::V0x13.into()),
            params: ParamsString::try_from(&params).map_err(|cause| failed(cause.to_string()))?,
            salt: Some(Salt::new(&salt).map_err(|cause| failed(cause.to_string()))?),
            hash: Some(output(Version::V0x13, params, &password, &salt).map_err(failed)?),
        };
        Ok(PasswordHash::from_clear(phc.to_string()))
    })
    .await
}

/// Whether a password is the one that was hashed. The time is the same for both answers.
///
/// # Errors
/// 503 when too many passwords are being hashed; or the stored text is no hash.
pub(crate) async fn fits(password: &Password, hash: &PasswordHash) -> Result<bool, Failure> {
    let (password, hash) = (password.clone(), hash.clone());
    let failed = |cause: String| Failure::broken("read a password's hash", cause);
    aside(move || {
        let phc = Phc::new(hash.clear()).map_err(|cause| failed(cause.to_string()))?;
        let params = Params::try_from(&phc).map_err(|cause| failed(cause.to_string()))?;
        let version = phc.version.map_or(Ok(Version::V0x13), Version::try_from);
        let (Ok(version), Some(salt), Some(kept)) = (version, &phc.salt, &phc.hash) else {
            return Err(failed("salt, hash or version is missing or unknown".into()));
        };
        // Outputs are compared in constant time.
        Ok(output(version, params, &password, salt).map_err(failed)? == *kept)
    })
    .await
}

fn output(version: Version, params: Params, password: &Password, salt: &[u8]) -> Result<Output, String> {
    let mut out = [0; Params::DEFAULT_OUTPUT_LEN];
    let argon2 = Argon2::new(Algorithm::Argon2id, version, params);
    hash_into(&argon2, password.clear().as_bytes(), salt, &mut out).map_err(|cause| cause.to_string())?;
    Output::new(&out).map_err(|cause| cause.to_string())
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
    async fn judging_a_password_does_not_block_the_runtime() {
        let all_at_once = password(&"(4@8({[</3#69&!1/|0$5+7%2".repeat(4)); // every sign that may stand for several letters
        let judging = check(&all_at_once, &[]);
        tokio::select! {
            biased;
            _ = judging => panic!("no other task got a turn"),
            () = tokio::task::yield_now() => {}
        }
    }

    #[tokio::test]
    async fn a_password_fits_only_its_own_hash() {
        let hash = hash(&password("correct horse battery staple")).await.unwrap();
        assert!(hash.clear().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "OWASP's parameters");
        assert!(fits(&password("correct horse battery staple"), &hash).await.unwrap());
        assert!(!fits(&password("correct horse battery stapler"), &hash).await.unwrap());
        assert!(
            fits(&password("any other words"), &PasswordHash::from_clear("no hash".into())).await.is_err()
        );
    }

    #[tokio::test]
    async fn the_decoy_has_the_parameters_of_other_hashes() {
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
