//! The three hooks are jobs with fixed names, one of each.

use crate::world::{Log, register};
use tack_app::{AckPhase, App, LazyPhase, Phase};

#[test]
fn both_phases_know_their_names_and_list_them() {
    let acks = App::<AckPhase, Log>::build(register).expect("the ack phase");
    let lazies = App::<LazyPhase, Log>::build(register).expect("the lazy phase");
    assert_eq!(acks.job_names(), ["tack.probe", "tack.installed", "tack.uninstalled", "tack.purge"]);
    assert_eq!(acks.job_names(), lazies.job_names());
    let listed: Vec<_> = lazies.listing().into_iter().map(|one| (one.kind, one.pattern, one.place)).collect();
    assert_eq!(listed.len(), 3);
    for ((kind, pattern, place), expected) in listed.iter().zip(["installed", "uninstalled", "purge"]) {
        assert_eq!((kind.as_str(), pattern.as_str()), (expected, format!("tack.{expected}").as_str()));
        assert!(place.as_deref().is_some_and(|place| place.contains("tests/lifecycle/world.rs:")), "{place:?}");
    }
}

#[test]
fn a_second_one_is_a_problem_at_the_start() {
    fn twice<P: Phase>(app: &mut App<P>) {
        for _ in 0..2 {
            app.installed(async |_, _| Ok(()));
            app.uninstalled(async |_, _| Ok(()));
            app.purge(async |_, _| Ok(()));
        }
    }
    for found in [App::<AckPhase>::build(twice).err(), App::<LazyPhase>::build(twice).err()] {
        let found = found.expect("problems");
        assert_eq!(found.len(), 3, "{found:?}");
        for (problem, method) in found.iter().zip(["app.installed", "app.uninstalled", "app.purge"]) {
            assert!(problem.starts_with(&format!("{method} is there twice")), "{problem}");
        }
    }
}

#[test]
fn their_names_cannot_be_taken_otherwise() {
    let found = App::<LazyPhase>::build(|app| app.job("tack.purge", async |_, _: &u32| Ok(())));
    assert!(found.err().expect("a problem")[0].contains("are the framework's"));
}
