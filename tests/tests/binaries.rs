//! The workspace's binaries are at hand to tests of a package that has none.

use waitlist_tests::binaries::built;

#[test]
fn a_binary_of_another_package_is_built() {
    assert!(built("waitlist").is_file());
}

#[test]
#[should_panic(expected = "no binary `waitlits`")]
fn a_name_that_does_not_exist_is_told() {
    let _ = built("waitlits");
}
