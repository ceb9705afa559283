//! The binaries of the workspace are built for tests of a package that has none.

use waitlist_tests::binaries::built;

#[test]
fn a_binary_of_another_package_is_built() {
    assert!(built("waitlist").is_file());
}

#[test]
#[should_panic(expected = "no binary `waitlits`")]
fn an_unknown_binary_is_reported_by_name() {
    let _ = built("waitlits");
}
