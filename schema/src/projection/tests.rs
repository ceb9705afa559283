use super::*;

fn rebuild(generation: u64, stage: Stage) -> Rebuild {
    Rebuild {
        id: uuid::Uuid::from_u128(u128::from(generation)),
        generation,
        requested_by: crate::Actor::System(crate::id::Component::Operator),
        requested_at: Time::from_millis(0),
        reason: None,
        promote: Promote::Auto,
        write_units_per_second: None,
        command: None,
        stage,
        prepared_at: (stage != Stage::Requested).then(|| Time::from_millis(1)),
        finished_at: None,
        scanned: Segments::default(),
        verified: Segments::default(),
        done: Done::default(),
        report: Report::default(),
    }
}

#[test]
fn a_candidate_is_written_from_prepared_on() {
    let roles = |stage| State { rebuilds: vec![rebuild(1, stage)], ..State::default() }.roles().candidate;
    for stage in [Stage::Prepared, Stage::Scanning, Stage::Verifying, Stage::Ready] {
        assert_eq!(roles(stage), Some(1), "{stage:?}");
    }
    for stage in [Stage::Requested, Stage::Promoted, Stage::Rejected, Stage::Cancelled, Stage::RolledBack] {
        assert_eq!(roles(stage), None, "{stage:?}");
    }
}

#[test]
fn each_projection_has_a_stream_of_its_own() {
    for name in Name::ALL {
        assert_eq!(name.as_str().parse::<Name>().unwrap(), name);
        assert_eq!(Name::ALL.iter().filter(|other| other.stream() == name.stream()).count(), 1);
    }
    assert_eq!(Name::Waitees.stream().to_string(), "projection-00000000-0000-8000-8000-000000000002");
}

#[test]
fn a_stage_is_shown_as_it_is_stored() {
    for stage in [Stage::Requested, Stage::RolledBack, Stage::Cancelled] {
        assert_eq!(serde_json::to_value(stage).unwrap(), stage.as_str());
    }
}
