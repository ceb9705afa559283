use std::os::unix::fs::PermissionsExt as _;

use schema::{
    StreamId,
    checkpoint::{Head, Leaf},
    commit::Bytes,
};

use super::*;

const ORIGIN: &str = "waitlist/test-events";

fn checkpoint(key: &CheckpointKey) -> Checkpoint {
    let stream = |n| format!("waitee-01920000-0000-7000-8000-00000000000{n}").parse::<StreamId>().unwrap();
    let leaves: Vec<Leaf> =
        (1..4).map(|n| Leaf { stream: stream(n), last: n, hash: Bytes([n as u8; 32]) }).collect();
    let at = "2026-11-20T19:42:00Z".parse().unwrap();
    let head = Head::over(ORIGIN, at, Some(Bytes([9; 32])), &leaves);
    let note = key.sign(ORIGIN, head.to_string()).unwrap();
    Checkpoint { note, head, leaves }
}

#[test]
fn the_example_of_c2sp_is_verified_and_no_other_text() {
    let key: VerifierKey =
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k".parse().unwrap();
    let line = "\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    let note = Note { text: "This is an example message.\n".into(), signatures: vec![line.parse().unwrap()] };
    verify(&note, &key).unwrap();
    let other = Note { text: "This is another message.\n".into(), ..note.clone() };
    assert!(matches!(verify(&other, &key), Err(Untrusted::Forged)));
    let unsigned = Note { signatures: Vec::new(), ..note.clone() };
    assert!(matches!(verify(&unsigned, &key), Err(Untrusted::Unsigned(_))));
    let mut again = note.clone();
    again.signatures.push(key.signature([1; 64]));
    assert!(matches!(verify(&again, &key), Err(Untrusted::Forged)), "one of two signatures is wrong");
}

#[test]
fn a_checkpoint_is_written_once_and_read_with_the_key_that_signed_it() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let key = CheckpointKey::read_or_create(&at("key")).unwrap();
    let verifier = key.verifier(ORIGIN).unwrap();
    assert_eq!(CheckpointKey::read(&at("key")).unwrap().verifier(ORIGIN).unwrap(), verifier);
    assert_eq!(fs::metadata(at("key")).unwrap().permissions().mode() & 0o777, 0o600);
    let written = checkpoint(&key);
    write(&at("file"), &written).unwrap();
    assert_eq!(read(&at("file"), &verifier).unwrap(), written);
    assert_eq!(write(&at("file"), &written).unwrap_err().kind(), io::ErrorKind::AlreadyExists);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "no draft is left");

    let other = CheckpointKey::read_or_create(&at("other")).unwrap().verifier(ORIGIN).unwrap();
    assert!(matches!(read(&at("file"), &other), Err(Untrusted::Unsigned(_))));
    let elsewhere = key.verifier("waitlist/other-events").unwrap();
    assert!(matches!(read(&at("file"), &elsewhere), Err(Untrusted::Origin { .. })));
    assert!(matches!(read(&at("nothing"), &verifier), Err(Untrusted::Io(_))));
    assert!(matches!(read(folder.path(), &verifier), Err(Untrusted::Io(_))));
    assert!(CheckpointKey::read(&at("nothing")).is_err() && !at("nothing").exists());
}

#[test]
fn a_file_with_any_byte_altered_or_removed_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let key = CheckpointKey::read_or_create(&folder.path().join("key")).unwrap();
    let verifier = key.verifier(ORIGIN).unwrap();
    let whole = checkpoint(&key).to_string().into_bytes();
    for place in 0..whole.len() {
        for bit in [0x01, 0x02, 0x10, 0x20, 0x80] {
            let mut altered = whole.clone();
            altered[place] ^= bit;
            fs::write(&path, altered).unwrap();
            assert!(read(&path, &verifier).is_err(), "bit {bit} of byte {place}");
        }
        let mut cut = whole.clone();
        cut.remove(place);
        fs::write(&path, cut).unwrap();
        assert!(read(&path, &verifier).is_err(), "without byte {place}");
        fs::write(&path, &whole[..place]).unwrap();
        assert!(read(&path, &verifier).is_err(), "the first {place} bytes");
    }
    fs::write(&path, &whole).unwrap();
    read(&path, &verifier).unwrap();
}

#[test]
fn leaves_altered_together_with_their_root_are_refused_for_their_signature() {
    let folder = tempfile::tempdir().unwrap();
    let key = CheckpointKey::read_or_create(&folder.path().join("key")).unwrap();
    let Checkpoint { note, head, mut leaves } = checkpoint(&key);
    leaves.pop();
    let head = Head::over(ORIGIN, head.at, head.previous, &leaves);
    let note = Note { text: head.to_string(), ..note };
    let path = folder.path().join("file");
    write(&path, &Checkpoint { note, head, leaves }).unwrap();
    assert!(matches!(read(&path, &key.verifier(ORIGIN).unwrap()), Err(Untrusted::Forged)));
}

#[test]
fn a_line_without_end_is_not_read_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    fs::write(&path, vec![b'a'; 3 * LINE_BYTES_MAX]).unwrap();
    let key = CheckpointKey::read_or_create(&folder.path().join("key")).unwrap();
    let refused = read(&path, &key.verifier(ORIGIN).unwrap());
    assert!(matches!(refused, Err(Untrusted::Malformed(Malformed::Cut))));
}
