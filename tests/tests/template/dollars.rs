//! The dollars in `infra/docs/costs.md`: computed from the units that the unit tests assert, the template, and AWS's
//! prices. The tables change when a unit, the memory of a function or a price changes.

mod month;
mod operations;
mod prices;

use std::{env, fs};

use schema::body::projection::PRICED_ON;
use waitlist_tests::template::infra;

use self::prices::{ALL, Bill, GB_SECONDS, INVOCATIONS, LOGGED, Price, READS, REQUESTS, WRITES};

/// Set to any value, it makes the tests write the tables.
const UPDATE: &str = "UPDATE_DOLLARS";

/// Keeps other tests from writing `costs.md` while it is read.
fn lock() -> fs::File {
    let lock = fs::File::create(env::temp_dir().join("waitlist-costs.lock")).unwrap();
    lock.lock().unwrap();
    lock
}

/// Asserts that the document has this table, or writes it.
fn documented(heading: &str, rows: &[String]) {
    let (file, _lock) = (infra("docs/costs.md"), lock());
    let text = fs::read_to_string(&file).unwrap();
    let (before, rest) = text.split_once(heading).unwrap_or_else(|| panic!("costs.md has no {heading:?}"));
    let (found, after) = rest.split_once("\n\n").unwrap();
    let table: String = rows.iter().map(|row| format!("\n{row}")).collect();
    if found == table {
        return;
    }
    assert!(
        env::var_os(UPDATE).is_some(),
        "costs.md has{found}\n\nbut this was computed:{table}\n\n\
         after looking at the difference, run {UPDATE}=1 cargo test --test template dollars"
    );
    fs::write(file, format!("{before}{heading}{table}\n\n{after}")).unwrap();
}

/// The units of an operation, from its row in the table of units.
fn units(operation: &str) -> Bill {
    let text = {
        let _lock = lock();
        fs::read_to_string(infra("docs/costs.md")).unwrap()
    };
    let begins = format!("| {operation} |");
    let row =
        text.lines().find(|line| line.starts_with(&begins)).unwrap_or_else(|| panic!("no row {operation:?}"));
    let [writes, reads] = [2, 3].map(|column| sum(row.split('|').nth(column).unwrap()));
    Bill::of(WRITES, writes) + Bill::of(READS, reads)
}

/// The sum of the numbers in a cell: `` `events` 2, `vault` 1 ``.
fn sum(cell: &str) -> f64 {
    cell.split(',').filter_map(|part| part.trim().rsplit(' ').next()?.parse::<f64>().ok()).sum()
}

fn cents(dollars: f64) -> String {
    let is_nothing = dollars.abs() < 0.005; // a difference may be just below zero
    format!("{:.2}", if is_nothing { 0.0 } else { dollars })
}

#[test]
fn the_documentation_lists_the_prices() {
    let text = fs::read_to_string(infra("docs/costs.md")).unwrap();
    assert!(text.contains(&format!("noted on {PRICED_ON};")), "the prices have another date in costs.md");
    let rows: Vec<String> = ALL
        .iter()
        .map(|Price { of, dollars, per }| {
            let per = if *per == 1.0 { String::from("1") } else { format!("{per}") };
            format!("| {of} | {dollars} | {per} |")
        })
        .collect();
    documented("| price of | dollars | for |\n|---|---|---|", &rows);
}

#[test]
fn the_documentation_tells_the_dollars_of_a_million_of_each_operation() {
    let rows: Vec<String> = operations::all()
        .into_iter()
        .map(|(name, bill)| {
            let million = bill * 1e6;
            let database = million.dollars_of(&[WRITES, READS]);
            let compute = million.dollars_of(&[INVOCATIONS, GB_SECONDS, LOGGED]);
            let door = million.dollars_of(&[REQUESTS]);
            let all = million.dollars();
            let [other, sums @ ..] =
                [all - database - compute - door, database, compute, door, all].map(cents);
            format!("| {name} | {} | {} | {} | {other} | {} |", sums[0], sums[1], sums[2], sums[3])
        })
        .collect();
    documented(
        "| a million of | DynamoDB | Lambda and logs | API Gateway | other | all |\n|---|---|---|---|---|---|",
        &rows,
    );
}

#[test]
fn the_documentation_tells_the_dollars_of_a_restaurants_month() {
    let rows: Vec<String> = month::parts()
        .into_iter()
        .map(|(name, bill)| format!("| {name} | {} |", cents(bill.dollars())))
        .collect();
    documented("| in a month | dollars |\n|---|---|", &rows);
}

#[test]
fn the_documentation_tells_the_dollars_of_37_million_visits() {
    // The sum of nothing is -0.0.
    let rows: Vec<String> = month::growth()
        .into_iter()
        .map(|(name, amount, bill)| format!("| {name} | {amount} | {:.0} |", bill.dollars() + 0.0))
        .collect();
    documented("| 37 million visits | amount | dollars |\n|---|---|---|", &rows);
}

#[test]
fn a_cell_of_the_table_is_summed() {
    assert_eq!(sum(" `events` 2, `events-waitees-g0/active` 0.5 "), 2.5);
    assert_eq!(sum(" 0 "), 0.0);
}
