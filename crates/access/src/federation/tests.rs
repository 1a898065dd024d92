use expect_test::{Expect, expect};
use units::{Meter, Period};

use super::*;
use crate::testing::{caps, federation, folder};

fn quarter() -> Period {
    Period::quarter_of("2026-11-21T09:00:00Z".parse().unwrap())
}

/// Replaces `from` by `to` in one file of the project's federation and shows the faults.
fn check_broken(file: &str, from: &str, to: &str, expected: Expect) {
    let mut documents = folder("federation");
    let name = format!("federation/{file}");
    let document = documents.iter_mut().find(|document| document.name == name).unwrap();
    assert!(document.text.contains(from), "{file} has no {from}");
    document.text = document.text.replacen(from, to, 1);
    let faults = Federation::parse(&documents, &caps()).unwrap_err();
    expected.assert_eq(&faults.to_string());
}

#[test]
fn the_seven_factories_of_the_announcement_are_described() {
    let federation = federation();
    let lines: Vec<String> = federation
        .summary(quarter(), &caps())
        .factories
        .iter()
        .map(|line| {
            let systems: Vec<String> =
                line.systems.iter().map(|(name, kind, _)| format!("{name} ({kind})")).collect();
            format!(
                "{} | {} | {} | {}",
                line.key,
                line.host,
                line.states.join(" "),
                systems.join(", ")
            )
        })
        .collect();
    expect![[r#"
        bsc-aif | Barcelona Supercomputing Center, Barcelona | ES PT RO TR | MareNostrum 5 (associated), MareNostrum 5 upgrade (upgrade), Experimental platform of BSC AIF (experimental)
        hammerhai | University of Stuttgart (HLRS), Stuttgart | DE | HammerHAI supercomputer (ai-optimised)
        it4lia | CINECA, Bologna | IT AT SI | Leonardo (associated), LISA (upgrade), IT4LIA AI supercomputer (ai-optimised)
        lumi-aif | CSC, Kajaani | FI CZ DK EE NO PL | LUMI (associated), LUMI-AI (ai-optimised), Experimental platform of LUMI AIF (experimental)
        meluxina-ai | LuxProvide, Bissen | LU | MeluXina-AI (ai-optimised), MeluXina (associated), MeluXina-Q (quantum)
        mimer | Linköping University (NAISS), Linköping | SE | MIMER AI supercomputer (ai-optimised), Arrhenius (associated)
        pharos | GRNET, Athens | GR | DAEDALUS (associated)"#]]
    .assert_eq(&lines.join("\n"));
}

#[test]
fn five_systems_are_new_and_each_states_how_far_it_has_come() {
    let federation = federation();
    let new: Vec<&System> = federation
        .systems()
        .map(|(_, system)| system)
        .filter(|system| system.kind == SystemKind::AiOptimised)
        .collect();
    assert_eq!(new.len(), 5);
    assert!(new.iter().all(|system| system.deployment.known() == Some(&Deployment::Contracted)));
}

#[test]
fn what_was_not_found_is_unknown_and_not_zero() {
    let federation = federation();
    let (_, _, partition) = federation.partition(&"hammerhai-ai.gpu".parse().unwrap()).unwrap();
    assert!(partition.devices.known().is_none());
    assert_eq!(partition.meter, Meter::Gpu);
    let refused = partition.units().unwrap_err();
    assert!(refused.contains("the number of devices is unknown"), "{refused}");
}

#[test]
fn a_misspelt_key_is_named_with_what_is_allowed() {
    check_broken(
        "pharos.toml",
        "hosting_entity",
        "hosting_entitty",
        expect![[r#"
            federation/pharos.toml:1:1: hosting_entity: is missing here
            federation/pharos.toml:5:1: hosting_entitty: is not a key here; allowed: sources, key, name, hosting_entity, place, country, described_by, joined, partners, sectors, systems"#]],
    );
}

#[test]
fn the_union_may_not_pay_more_than_half_of_the_acquisition() {
    check_broken(
        "meluxina-ai.toml",
        "union_acquisition = { value = \"50 %\"",
        "union_acquisition = { value = \"50.0001 %\"",
        expect![
            "federation/meluxina-ai.toml:62:1: systems[0].agreement.union_acquisition: is 50.0001 %; at most 50 % is allowed (Article 12a; policy/caps.toml#union-acquisition@2024-07-09)"
        ],
    );
}

#[test]
fn devices_must_agree_with_nodes() {
    check_broken(
        "meluxina-ai.toml",
        "value = 1008",
        "value = 1009",
        expect![
            "federation/meluxina-ai.toml:72:1: systems[0].partitions[0].devices: is 1009, but nodes times devices per node is 1008"
        ],
    );
}

#[test]
fn faults_between_files_point_at_their_lines() {
    check_broken(
        "pharos.toml",
        "key = \"daedalus\"",
        "key = \"lumi\"",
        expect![
            "federation/pharos.toml:34:1: systems[0].key: the system `lumi` also stands in federation/lumi-aif.toml"
        ],
    );
    check_broken(
        "pharos.toml",
        "joined = { value = []",
        "joined = { value = [\"CY\"]",
        expect![
            "federation/federation.toml:8:1: member_states: with `other_states` this announces 17 states, but the factories name 18"
        ],
    );
    check_broken(
        "pharos.toml",
        "key = \"pharos\"",
        "key = \"faros\"",
        expect![
            "federation/pharos.toml:3:1: key: is `faros`, so the file must be called faros.toml"
        ],
    );
}

#[test]
fn a_folder_without_a_programme_is_refused() {
    let mut documents = folder("federation");
    documents.retain(|document| !document.name.ends_with("/federation.toml"));
    let faults = Federation::parse(&documents, &caps()).unwrap_err();
    expect!["federation.toml:1:1: this file is missing: it describes the programme"]
        .assert_eq(&faults.to_string());
}

#[test]
fn a_device_total_follows_from_nodes() {
    let federation = federation();
    let (_, _, partition) = federation.partition(&"lumi.lumi-g".parse().unwrap()).unwrap();
    assert_eq!(partition.devices.known(), Some(&(2978 * 4)));
}

#[test]
fn the_capacity_is_more_than_doubled_by_what_the_files_say() {
    let capacity = federation().capacity();
    let told = |lines: &[CapacityLine]| {
        let line = |line: &CapacityLine| match (&line.accelerators, &line.teraflops) {
            (Accelerators::Exactly(count), Ok(teraflops)) => {
                format!("{} {count} {teraflops}", line.partition)
            }
            (Accelerators::AtLeast(count), Ok(teraflops)) => {
                format!("{} >{count} {teraflops}", line.partition)
            }
            (_, Ok(_)) => format!("{} counted without a number", line.partition),
            (_, Err(_)) => format!("{} unknown", line.partition),
        };
        lines.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    expect![[r#"
        marenostrum-5.acc 4480 4430720
        leonardo.booster 13824 4313088
        lumi.lumi-g 11912 4562296
        meluxina.gpu unknown"#]]
    .assert_eq(&told(&capacity.before));
    expect![[r#"
        marenostrum-5-upgrade.training unknown
        marenostrum-5-upgrade.inference unknown
        hammerhai-ai.gpu unknown
        lisa.gpu unknown
        it4lia-ai.gpu >8000 20000000
        it4lia-ai.inference unknown
        lumi-ai.gpu unknown
        meluxina-ai.gpu 1008 2520000
        mimer-ai.gpu 400 1000000
        arrhenius.gpu unknown
        daedalus.gpu unknown"#]]
    .assert_eq(&told(&capacity.added));
    let growth = capacity.growth_hundredths().unwrap();
    assert!(growth > 200, "{growth} hundredths");
    // With the lowest of the figures that guides give for the new accelerators, too.
    let lowest = capacity.added_teraflops() * 2_250 / 2_500;
    assert!(lowest > capacity.before_teraflops());
}

#[test]
fn what_is_known_of_the_money_adds_up_by_factory_purpose_and_state() {
    let overview = federation().overview().unwrap();
    let sum = |pick: fn(&FactoryFunding) -> Paid| {
        let paid = overview.factories.iter().map(pick);
        paid.fold((0, 0), |(union, states), it| {
            (union + it.union.count(), states + it.states.count())
        })
    };
    let (infrastructure, services) = (sum(|it| it.infrastructure), sum(|it| it.services));
    let whole = |paid: Paid| (paid.union.count(), paid.states.count());
    assert_eq!(infrastructure, whole(overview.infrastructure));
    assert_eq!(services, whole(overview.services));
    let states: i64 = overview.states.values().map(|it| it.count()).sum();
    assert_eq!(states, infrastructure.1 + services.1, "every state's euro is counted once");
    let told: Vec<String> = overview
        .states
        .iter()
        .map(|(who, amount)| match who {
            Contributor::State(state) => format!("{state} {amount}"),
            Contributor::Together(states) => {
                let names: Vec<String> = states.iter().map(ToString::to_string).collect();
                format!("{} together {amount}", names.join(" "))
            }
        })
        .collect();
    expect![[r#"
        DE EUR 27 500 000.00
        LU EUR 56 000 000.00
        SE EUR 14 880 000.00
        ES PT RO TR together EUR 64 500 000.00
        FI CZ DK EE NO PL together EUR 193 900 000.00
        IT AT SI together EUR 145 000 000.00"#]]
    .assert_eq(&told.join("\n"));
    let announced = federation().programme.investment.known().unwrap().count();
    let known = infrastructure.0 + infrastructure.1 + services.0 + services.1;
    assert_eq!(overview.unaccounted.known().unwrap().count(), announced - known);
}

#[test]
fn a_least_number_of_devices_beside_the_exact_one_is_refused() {
    check_broken(
        "meluxina-ai.toml",
        "devices = { value = 1008",
        "devices_at_least = { value = 1000, source = \"contract\" }\ndevices = { value = 1008",
        expect![
            "federation/meluxina-ai.toml:72:1: systems[0].partitions[0].devices_at_least: stands beside the exact number; leave one out"
        ],
    );
}
