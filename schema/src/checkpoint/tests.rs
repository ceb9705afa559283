use std::str::FromStr;

use data_encoding::{BASE64, HEXLOWER};
use proptest::{collection::vec, prelude::*};
use uuid::Uuid;

use super::*;
use crate::{
    commit::{Bytes, Chain, Hash, Tail},
    id::Category,
};

const SIZE_MAX: usize = 70;

fn leaf(number: u128) -> Leaf {
    let stream = StreamId { category: Category::Waitee, id: Uuid::from_u128(number) };
    Leaf { stream, last: 7, hash: Bytes([number as u8; 32]) }
}

fn leaves(size: usize) -> Vec<Leaf> {
    (0..size as u128).map(leaf).collect()
}

fn checkpoint(leaves: Vec<Leaf>, previous: Option<Hash>) -> Checkpoint {
    let at = "2026-11-20T19:42:00.007Z".parse().unwrap();
    let head = Head::over("waitlist/test-events", at, previous, &leaves);
    let key = VerifierKey::new("waitlist/test-events", [7; 32]).unwrap();
    let note = Note { text: head.to_string(), signatures: vec![key.signature([8; 64])] };
    Checkpoint { note, head, leaves }
}

fn read(text: &str) -> Result<Checkpoint, Malformed> {
    let mut reader = Reader::default();
    text.lines().try_for_each(|line| reader.line(line))?;
    reader.end()
}

/// The root by the definition in RFC 6962, section 2.1.
fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => merkle::root([]),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(leaves.len().next_power_of_two() / 2);
            merkle::parent(root(left), root(right))
        }
    }
}

/// The root that a path leads to, as RFC 9162 has it in section 2.1.3.2. `None` if its length is wrong.
fn climb(size: usize, index: usize, leaf: Hash, path: &[Hash]) -> Option<Hash> {
    let (mut index, mut last, mut node) = (index, size - 1, leaf);
    for sibling in path {
        if last == 0 {
            return None;
        }
        if index % 2 == 1 || index == last {
            node = merkle::parent(*sibling, node);
            while index % 2 == 0 && index != 0 {
                (index, last) = (index / 2, last / 2);
            }
        } else {
            node = merkle::parent(node, *sibling);
        }
        (index, last) = (index / 2, last / 2);
    }
    (last == 0).then_some(node)
}

#[test]
fn roots_are_those_of_the_reference_implementation_of_certificate_transparency() {
    let contents =
        ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"];
    let roots = [
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    ];
    let nodes: Vec<Hash> =
        contents.iter().map(|hex| merkle::leaf(&HEXLOWER.decode(hex.as_bytes()).unwrap())).collect();
    for (size, root) in roots.iter().enumerate() {
        let found = merkle::root(nodes[..size].iter().copied());
        assert_eq!(HEXLOWER.encode(&found.0), *root, "{size} leaves");
    }
}

#[test]
fn every_leaf_of_every_tree_has_a_path_to_its_root_and_no_other_leaf_has() {
    for size in 1..=SIZE_MAX {
        let nodes: Vec<Hash> = leaves(size).iter().map(Leaf::node).collect();
        let expected = root(&nodes);
        assert_eq!(merkle::root(nodes.iter().copied()), expected);
        for index in 0..size {
            let path = merkle::path(size, index, |index| nodes[index]);
            assert_eq!(climb(size, index, nodes[index], &path), Some(expected), "{index} of {size}");
            assert_ne!(climb(size, index, leaf(1_000).node(), &path), Some(expected));
            if size > 1 {
                assert_ne!(climb(size, (index + 1) % size, nodes[index], &path), Some(expected));
                assert_ne!(climb(size, index, nodes[index], &path[1..]), Some(expected));
            }
        }
    }
}

#[test]
fn the_verifier_keys_and_signature_lines_of_c2sp_are_read_and_written_alike() {
    let text = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
    let key: VerifierKey = text.parse().unwrap();
    assert_eq!((key.name(), key.to_string().as_str()), ("example.com/foo", text));
    let line = "\u{2014} example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=";
    let signature: Signature = line.parse().unwrap();
    assert_eq!(signature.to_string(), line);
    assert_eq!(key.signature(signature.bytes.clone().try_into().unwrap()), signature);
    for wrong in [
        "",
        "example.com/foo",
        "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/bar+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+BOkyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
        "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U==",
        "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ] {
        assert!(VerifierKey::from_str(wrong).is_err(), "{wrong}");
    }
    for name in ["", "two words", "a+b", "line\n"] {
        assert!(VerifierKey::new(name, [0; 32]).is_err(), "{name}");
    }
}

#[test]
fn a_signature_of_another_name_or_key_is_not_one_of_this_key() {
    let key = |name: &str, public| VerifierKey::new(name, [public; 32]).unwrap();
    let signatures =
        [("a", 1), ("a", 2), ("b", 1)].map(|(name, public)| key(name, public).signature([0; 64]));
    let note = Note { text: "text\n".to_owned(), signatures: signatures.to_vec() };
    let found: Vec<&Signature> = note.signatures_of(&key("a", 1)).collect();
    assert_eq!(found, [&signatures[0]]);
}

#[test]
fn a_file_has_note_and_leaves_and_reads_back() {
    let previous = checkpoint(Vec::new(), None);
    assert_eq!(read(&previous.to_string()).unwrap(), previous);
    let whole = checkpoint(leaves(2), Some(previous.note.hash()));
    let text = whole.to_string();
    assert_eq!(read(&text).unwrap(), whole);
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!((lines[0], lines[1], lines[5], lines[7]), ("waitlist/test-events", "2", "", ""));
    assert_eq!(BASE64.decode(lines[2].as_bytes()).unwrap(), whole.head.root.0);
    assert_eq!(lines[3], "time 2026-11-20T19:42:00.007Z");
    assert_eq!(lines[4], format!("previous {}", HEXLOWER.encode(&previous.note.hash().0)));
    assert!(lines[6].starts_with("\u{2014} waitlist/test-events "));
    let hash = "01".repeat(32);
    assert_eq!(lines[9], format!("waitee-00000000-0000-0000-0000-000000000001 7 {hash}"));
}

#[test]
fn a_file_that_is_cut_reordered_or_padded_is_refused() {
    let text = checkpoint(leaves(5), None).to_string();
    let lines: Vec<&str> = text.lines().collect();
    for end in 0..lines.len() {
        assert!(read(&lines[..end].join("\n")).is_err(), "the first {end} lines");
    }
    for first in 0..lines.len() {
        for second in (first + 1..lines.len()).filter(|second| lines[*second] != lines[first]) {
            let mut swapped = lines.clone();
            swapped.swap(first, second);
            assert!(read(&swapped.join("\n")).is_err(), "lines {first} and {second}");
        }
    }
    for at in 0..=lines.len() {
        for added in ["", lines[0], lines[5], lines[8], "time 2026-11-20T19:42:00.007Z"] {
            let mut padded = lines.clone();
            padded.insert(at, added);
            let is_signature_twice = (5..=6).contains(&at) && added == lines[5];
            let is_read = read(&(padded.join("\n") + "\n")).is_ok();
            assert_eq!(is_read, is_signature_twice, "{added:?} at {at}");
        }
    }
    let many = lines[5].to_owned() + "\n";
    let signed = text.replacen(lines[5], (many.repeat(40) + lines[5]).as_str(), 1);
    assert!(matches!(read(&signed), Err(Malformed::Long { line: 33 })));
}

#[test]
fn a_leaf_is_read_only_in_the_form_in_which_it_is_written() {
    let text = leaf(10).to_string();
    assert_eq!(text.parse::<Leaf>().unwrap(), leaf(10));
    assert_eq!(size_of::<Leaf>(), 64, "documented as the memory of a stream");
    for wrong in [
        text.to_uppercase(),
        text.replace(" 7 ", " 07 "),
        text.replace(" 7 ", " +7 "),
        text.replace(" 7 ", "  7 "),
        format!("{text} "),
        format!(" {text}"),
        text[..text.len() - 2].to_owned(),
        text.replace("waitee", "table"),
    ] {
        assert!(wrong.parse::<Leaf>().is_err(), "{wrong}");
    }
}

#[test]
fn a_proof_has_the_form_of_c2sp_and_leads_to_the_signed_root() {
    let whole = checkpoint(leaves(11), None);
    let proof = whole.proof(leaf(4).stream).unwrap();
    let nodes: Vec<Hash> = whole.leaves.iter().map(Leaf::node).collect();
    assert_eq!(climb(11, 4, nodes[4], &proof.path), Some(whole.head.root));
    let text = proof.to_string();
    let (proof_lines, note) = text.split_once("\n\n").unwrap();
    assert_eq!(note, whole.note.to_string());
    let lines: Vec<&str> = proof_lines.lines().collect();
    let extra = format!("extra {}", BASE64.encode(leaf(4).to_string().as_bytes()));
    assert_eq!(lines[..3], ["c2sp.org/tlog-proof@v1", extra.as_str(), "index 4"]);
    let path: Vec<String> = proof.path.iter().map(|hash| BASE64.encode(&hash.0)).collect();
    assert_eq!(lines[3..], path);
    assert_eq!(whole.proof(leaf(11).stream), None);
}

#[test]
fn a_stream_equals_its_leaf_only_with_the_same_end() {
    let leaf = leaf(1);
    let at = |seq, hash| Chain { head: Tail { seq, hash, ..Tail::EMPTY }, key: 5, broken: None };
    let why = |chain| leaf.compare(&chain).map_err(|(seq, why)| format!("{seq} {why}"));
    assert_eq!(why(at(7, leaf.hash)), Ok(()));
    let refused = |text: &str| Err(text.to_owned());
    assert_eq!(why(at(7, Bytes([9; 32]))), refused("5 has another hash than in the checkpoint"));
    assert_eq!(why(at(8, leaf.hash)), refused("5 has another hash than in the checkpoint"));
    assert_eq!(why(at(6, leaf.hash)), refused("7 is missing, although the checkpoint has it"));
    let gone = "1 is missing, and with it the whole stream, although the checkpoint has it";
    assert_eq!(why(Chain::START), refused(gone));
    let broken = Chain { broken: Some((3, crate::commit::Broken::Gap)), ..at(7, leaf.hash) };
    assert_eq!(why(broken), refused("3 does not follow the commit before it"));
}

proptest! {
    #[test]
    fn leaves_are_sorted_by_their_lines_and_the_longest_of_a_stream_stays(
        some in vec((0..Category::ALL.len(), any::<u128>(), 1..3_u64), 0..30)
    ) {
        let all = some.into_iter().flat_map(|(category, id, last)| {
            let stream = StreamId { category: Category::ALL[category], id: Uuid::from_u128(id) };
            (1..=last).map(move |last| Leaf { stream, last, hash: Bytes([last as u8; 32]) })
        });
        let all: Vec<Leaf> = all.collect();
        let mut sorted = all.clone();
        sort(&mut sorted);
        let lines: Vec<String> = sorted.iter().map(Leaf::to_string).collect();
        prop_assert!(lines.is_sorted());
        for leaf in all {
            let found = find_last(&sorted, leaf.stream);
            prop_assert!(found >= Some(leaf.last), "{found:?} {leaf}");
        }
        let whole = checkpoint(sorted, None);
        prop_assert_eq!(read(&whole.to_string()).unwrap(), whole);
    }
}

fn find_last(sorted: &[Leaf], stream: StreamId) -> Option<u64> {
    super::leaf::find(sorted, stream).map(|place| sorted[place].last)
}
