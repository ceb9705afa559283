//! An export to a file that breaks off, and is continued.

use std::{fs, path::Path};

use waitlist_tests::{
    binaries::built,
    process::{Ran, run_through},
};

use super::events;
use crate::place::{Place, is_external};

const COMMITS: usize = 2_500;
const TO: &str = "2026-11-21T03:00:01Z";

/// The options that a message names after `words`, up to the end of the line or a comma.
fn named<'r>(ran: &'r Ran, words: &str) -> Vec<&'r str> {
    let (_, rest) = ran.err.split_once(words).unwrap_or_else(|| panic!("{ran:?}"));
    rest.split(['\n', ',']).next().unwrap().split_whitespace().collect()
}

/// Exports with a bound on the size of files, in units of 512 bytes.
async fn bounded(place: &Place, blocks: usize, args: &[&str]) -> Ran {
    // A process that ignores SIGXFSZ gets an error from a write beyond the bound, as from a full disk.
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let binary = built("waitlist").display().to_string();
    let through = ["sh", "-c", &script, &binary];
    run_through(&through, place.path(), args, &place.env()).await
}

fn size(path: &Path) -> usize {
    usize::try_from(fs::metadata(path).unwrap().len()).unwrap()
}

#[tokio::test]
async fn a_file_has_its_name_when_it_is_whole_and_is_continued_only_where_it_ends() {
    if is_external() {
        return; // a past is made up only in the embedded engine
    }
    let place = Place::new();
    let until = "2026-11-21T03:00:00Z";
    let seeded = place.run(&["seed", "--commits", &COMMITS.to_string(), "--until", until]).await;
    assert_eq!(seeded.code, Some(0), "{seeded:?}");
    let server = place.serve(&[]).await; // the bound below is not for the engine's files
    let files = tempfile::tempdir().unwrap();
    let path = |name: &str| files.path().join(name);
    for format in ["csv", "ndjson"] {
        let export = |name: &str| {
            let out = path(name).display().to_string();
            ["audit", "export", "--format", format, "--to", TO, "--out", &out].map(str::to_owned)
        };
        let (whole, broken) = (format!("whole.{format}"), format!("it's broken.{format}"));
        let (whole, args) = (path(&whole), [export(&whole), export(&broken)]);
        let [first, second] = args.each_ref().map(|args| args.each_ref().map(String::as_str));
        assert_eq!(place.run(&first).await.code, Some(0));

        // Of three parts, the first fits.
        let ran = bounded(&place, size(&whole) * 6 / 10 / 512, &second).await;
        assert!(ran.code == Some(1) && ran.err.contains("the export broke off after "), "{ran:?}");
        let (broken, draft) = (path(&broken), path(&format!("{broken}.part")));
        assert!(!broken.exists() && draft.exists(), "{ran:?}");
        let held = fs::read_to_string(&draft).unwrap();
        let whole = fs::read_to_string(&whole).unwrap();
        assert!(whole.starts_with(&held) && !events(format, &held).is_empty(), "{}", held.len());
        let options = named(&ran, "run it again with ");
        let options =
            options.join(" ").replace(&format!("'{}'", second[7].replace('\'', "'\\''")), second[7]);
        for option in ["--account", "--format", "--to", "--cursor", "--out"] {
            assert!(options.contains(option), "{option}: {ran:?}");
        }

        // It is not begun anew, nor continued in another format or at another place.
        let again = place.run(&second).await;
        assert!(again.code == Some(1) && again.err.contains(".part exists, of an export"), "{again:?}");
        let cursor = named(&again, "continue it with ");
        assert_eq!(cursor[..3], ["--format", format, "--cursor"], "{again:?}");
        assert!(options.contains(cursor[3]), "{again:?}");
        let other = if format == "csv" { "ndjson" } else { "csv" };
        let earlier = place.run(&["audit", "--order", "asc", "--limit", "1"]).await.out;
        let earlier = earlier.trim().rsplit(' ').next().unwrap().to_owned();
        for (wrong, why) in [
            (["--format", other, "--cursor", cursor[3]], format!("was begun with --format {format}")),
            (["--format", format, "--cursor", &earlier], "ends at another event".to_owned()),
        ] {
            let args = [&["audit", "export", "--to", TO, "--out", second[7]], &wrong[..]].concat();
            let ran = place.run(&args).await;
            assert!(ran.code == Some(1) && ran.err.contains(&why), "{ran:?}");
        }
        assert_eq!(fs::read_to_string(&draft).unwrap(), held);

        // A line that was cut off, as by a power cut, is written again.
        fs::write(&draft, format!("{held}waitee-")).unwrap();
        let continued = [&second[..], &["--cursor", cursor[3]]].concat();
        let ran = place.run(&continued).await;
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert!(fs::read_to_string(&broken).unwrap() == whole, "the same file as if nothing had happened");
        assert!(!draft.exists());
        let ran = place.run(&continued).await;
        assert!(ran.code == Some(1) && ran.err.contains("exists; choose another file"), "{ran:?}");
    }

    let foreign = path("foreign.part");
    fs::write(&foreign, "of another program\n").unwrap();
    let out = path("foreign").display().to_string();
    let ran = place.run(&["audit", "export", "--out", &out]).await;
    assert!(ran.code == Some(1) && ran.err.contains("without any event; remove it"), "{ran:?}");
    assert_eq!(fs::read_to_string(&foreign).unwrap(), "of another program\n");
    assert_eq!(server.interrupt().await, Some(0));
}
