use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use proptest::prelude::*;
use units::AllocationId;

use super::*;
use crate::AccountPrefix;

const MEND: DriftPolicy =
    DriftPolicy { limits: Response::Mend, shares: Response::Mend, tree: Response::Mend };

fn id(number: u128) -> String {
    format!("{number:032x}")
}

fn login(name: &str) -> Login {
    name.parse().unwrap()
}

fn wish(number: u128, members: &[&str]) -> Wish {
    Wish {
        allocation: id(number).parse().unwrap(),
        project: id(0xf0).parse().unwrap(),
        mode: "fast-lane".parse().unwrap(),
        standing: Standing::Active,
        granted_seconds: 36_000,
        used_seconds: 0,
        members: members.iter().map(|name| login(name)).collect(),
    }
}

/// A site with a lane for small enterprises.
fn policy() -> Policy {
    Policy {
        prefix: AccountPrefix::default(),
        parent: "root".to_owned(),
        resource: "gres/gpu".parse().unwrap(),
        per_unit: 1,
        classes: vec![Class {
            key: "sme".parse().unwrap(),
            modes: ["fast-lane".parse().unwrap()].into(),
            priority: 100,
            fairshare: 40,
            ceiling: "gres/gpu=64".parse().unwrap(),
        }],
        downscaled: "gres/gpu=1".parse().unwrap(),
    }
}

fn should(wishes: &[Wish], found: &Tree) -> Wanted {
    wanted(&policy(), wishes, (found, &BTreeMap::new()))
}

/// A site on which everything was carried out that was planned: what is there, and what was set.
fn settled(wanted: &Wanted) -> (Tree, Tree) {
    let (mut found, mut set) = (Tree::new(), Tree::new());
    for step in plan(wanted, &found, &set, &MEND).steps {
        carry_out(&step, &mut found);
        carry_out(&step, &mut set);
    }
    (found, set)
}

/// What is planned, in words.
fn told(plan: &Plan) -> String {
    let steps = plan.steps.iter().map(|step| format!("{} ({})\n", step, step.why.name()));
    let drift = plan.drift.iter().map(|it| format!("! {it} ({})\n", it.response.name()));
    steps.chain(drift).collect::<String>().replace(&id(1), "ONE").replace(&id(0xf0), "P")
}

fn check(plan: &Plan, expected: Expect) {
    expected.assert_eq(&told(plan));
}

fn leaf(number: u128) -> Object {
    let name = format!("usine_a{}", id(number));
    Object::Account(Owned::claimed(&AccountPrefix::default(), &name).unwrap())
}

fn member(number: u128, name: &str) -> Object {
    let Object::Account(account) = leaf(number) else { panic!("a leaf is an account") };
    Object::Member(account, login(name))
}

fn budget(number: u128) -> Object {
    let Object::Account(name) = leaf(number) else { panic!("a leaf is an account") };
    Object::Qos(name)
}

#[test]
fn an_empty_site_gets_all_of_it_those_above_first() {
    let wanted = should(&[wish(1, &["ada"])], &Tree::new());
    check(
        &plan(&wanted, &Tree::new(), &Tree::new(), &MEND),
        expect![[r#"
            create qos usine_aONE: priority 100, flags NoDecay, budget gres/gpu=600 (missing)
            create account usine_all: parent root, fairshare 1 (missing)
            create account usine_c_sme: parent usine_all, fairshare 40, ceiling gres/gpu=64 (missing)
            create account usine_pP_sme: parent usine_c_sme, fairshare 1 (missing)
            create account usine_aONE: parent usine_pP_sme, qos usine_aONE (missing)
            create user ada of usine_aONE (missing)
        "#]],
    );
}

#[test]
fn a_change_by_hand_is_told_from_a_new_wish() {
    let (mut found, set) = settled(&should(&[wish(1, &["ada"])], &Tree::new()));
    found.get_mut(&budget(1)).unwrap().insert(Field::Budget, Value::new("gres/gpu=9"));
    let more = Wish { standing: Standing::Paused, ..wish(1, &["ada"]) };
    let wanted = should(&[more], &found);
    check(
        &plan(&wanted, &found, &set, &MEND),
        expect![[r#"
            set budget of qos usine_aONE to gres/gpu=600 (mend)
            set submit of account usine_aONE to 0 (wish)
            ! budget of qos usine_aONE was set to gres/gpu=600 and is gres/gpu=9 (mend)
        "#]],
    );
    let report = DriftPolicy { limits: Response::Report, ..MEND };
    let reported = plan(&wanted, &found, &set, &report);
    assert_eq!((reported.steps.len(), reported.agrees()), (1, false));
}

#[test]
fn downscaled_jobs_come_last_and_within_a_narrower_ceiling() {
    let (found, set) = settled(&should(&[wish(1, &[])], &Tree::new()));
    let slow = Wish { standing: Standing::Downscaled, ..wish(1, &[]) };
    check(
        &plan(&should(&[slow], &found), &found, &set, &MEND),
        expect![[r#"
            set ceiling of qos usine_aONE to gres/gpu=1 (wish)
            set priority of qos usine_aONE to 0 (wish)
        "#]],
    );
}

#[test]
fn who_leaves_may_submit_nothing_and_who_returns_may_again() {
    let (mut found, mut set) = settled(&should(&[wish(1, &["ada", "ben"])], &Tree::new()));
    let without = should(&[wish(1, &["ada"])], &found);
    let left = plan(&without, &found, &set, &MEND);
    check(
        &left,
        expect![[r#"
            set submit of user ben of usine_aONE to 0 (left)
        "#]],
    );
    carry_out(&left.steps[0], &mut found);
    carry_out(&left.steps[0], &mut set);
    assert!(plan(&without, &found, &set, &MEND).agrees());
    let again = plan(&should(&[wish(1, &["ada", "ben"])], &found), &found, &set, &MEND);
    check(
        &again,
        expect![[r#"
            set submit of user ben of usine_aONE to nothing (wish)
        "#]],
    );
}

#[test]
fn what_was_made_or_removed_by_hand_is_shown() {
    let wanted = should(&[wish(1, &["ada"])], &Tree::new());
    let (mut found, set) = settled(&wanted);
    found.remove(&leaf(1));
    found.remove(&member(1, "ada"));
    found.insert(member(1, "eve"), Fields::new());
    found.insert(leaf(7), Fields::new());
    check(
        &plan(&wanted, &found, &set, &MEND),
        expect![[r#"
            create account usine_aONE: parent usine_pP_sme, qos usine_aONE (mend)
            create user ada of usine_aONE (mend)
            set submit of user eve of usine_aONE to 0 (mend)
            ! account usine_aONE came or went by hand (mend)
            ! user ada of usine_aONE came or went by hand (mend)
            ! account usine_a00000000000000000000000000000007 came or went by hand (report)
            ! user eve of usine_aONE came or went by hand (mend)
        "#]],
    );
    let accept = DriftPolicy { tree: Response::Accept, ..MEND };
    let accepted = plan(&wanted, &found, &set, &accept);
    assert_eq!(accepted.steps, [], "nothing rests on an account that is not there");
    assert!(!accepted.agrees(), "what is not there cannot be accepted");
}

#[test]
fn hours_used_before_the_budget_was_made_are_not_in_it() {
    let half = Wish { used_seconds: 18_000, ..wish(1, &[]) };
    let fresh = should(std::slice::from_ref(&half), &Tree::new());
    let of = |wanted: &Wanted| wanted.0[0].1[&Field::Budget].clone();
    assert_eq!(of(&fresh).as_str(), "gres/gpu=300");
    let (found, _) = settled(&fresh);
    let before: BTreeMap<AllocationId, u64> = [(half.allocation, 18_000)].into();
    let more = Wish { used_seconds: 30_000, ..half };
    let later = wanted(&policy(), &[more], (&found, &before));
    assert_eq!(of(&later).as_str(), "gres/gpu=300", "the rest Slurm counts itself");
}

#[test]
fn logins_of_nobody_and_names_without_the_prefix_cannot_be_meant() {
    for wrong in ["root", "slurm", "", "-u", "a b", "ada;id", "ada,ben", "0"] {
        assert!(wrong.parse::<Login>().is_err(), "{wrong:?}");
    }
    let prefix = AccountPrefix::default();
    for wrong in ["physics", "root", "usine_a b", "usine_A", "usine_x,physics", "Usine_all"] {
        assert_eq!(Owned::claimed(&prefix, wrong), None, "{wrong:?}");
    }
    for wrong in ["gres/gpu", "gres/gpu=", "gpu=-1", "cpu=1,,mem=2", "cpu=1 where name=x"] {
        assert!(wrong.parse::<Resources>().is_err(), "{wrong:?}");
    }
}

/// Some allocations in some states with some members.
fn wishes() -> impl Strategy<Value = Vec<Wish>> {
    let standing = prop_oneof![
        Just(Standing::Active),
        Just(Standing::Downscaled),
        Just(Standing::Paused),
        Just(Standing::Closed),
    ];
    let mode = prop_oneof![Just("fast-lane"), Just("regular")];
    let members = prop::collection::btree_set(prop_oneof!["ada", "ben", "eve"], 0..3);
    let one = (0_u128..3, standing, mode, 0_u64..1 << 40, 0_u64..1 << 40, members);
    let one =
        one.prop_map(|(project, standing, mode, granted_seconds, used_seconds, members)| Wish {
            project: id(0xf0 + project).parse().unwrap(),
            mode: mode.parse().unwrap(),
            standing,
            granted_seconds,
            used_seconds,
            members: members.iter().map(|name: &String| login(name)).collect(),
            ..wish(0, &[])
        });
    let named = |(number, it)| Wish { allocation: id(number).parse().unwrap(), ..it };
    let numbered = prop::collection::btree_map(0_u128..5, one, 0..5);
    numbered.prop_map(move |all| all.into_iter().map(named).collect())
}

/// What somebody may do to a tree by hand.
fn vandalised(mut tree: Tree, deeds: &[(usize, u8)]) -> Tree {
    for (index, deed) in deeds {
        let Some(object) = tree.keys().nth(index % tree.len().max(1)).cloned() else { continue };
        match deed {
            0 => drop(tree.remove(&object)),
            1 => drop(tree.insert(member(3, "mallory"), Fields::new())),
            _ => {
                let fields = tree.entry(object).or_default();
                for value in fields.values_mut() {
                    *value = Value::new("7");
                }
            }
        }
    }
    tree
}

proptest! {
    #[test]
    fn a_plan_carried_out_leaves_nothing_to_do_and_touches_only_what_is_usines(
        first in wishes(), then in wishes(), deeds in prop::collection::vec((0_usize..40, 0_u8..4), 0..6),
    ) {
        let (found, mut set) = settled(&should(&first, &Tree::new()));
        let mut found = vandalised(found, &deeds);
        let wanted = should(&then, &found);
        let planned = plan(&wanted, &found, &set, &MEND);
        for step in &planned.steps {
            let (Object::Qos(name) | Object::Account(name) | Object::Member(name, _)) = &step.object;
            prop_assert!(name.as_str().starts_with("usine_"));
            if let Change::Create(fields) = &step.change {
                let above = fields.get(&Field::Parent).map(Value::as_str);
                let stands = |name: &str| name == "root"
                    || found.keys().any(|it| matches!(it, Object::Account(it) if it.as_str() == name));
                prop_assert!(above.is_none_or(stands), "{step}: nothing stands above it yet");
            }
            carry_out(step, &mut found);
            carry_out(step, &mut set);
        }
        agreed(&wanted, &found, &mut set);
        let again = plan(&wanted, &found, &set, &MEND);
        prop_assert_eq!(again.steps, []);
        for (object, fields) in &wanted.0 {
            for (field, value) in fields {
                prop_assert_eq!(&found[object][field], value);
            }
        }
    }

    #[test]
    fn what_is_accepted_stays(all in wishes(), which in 0_usize..40) {
        let wanted = should(&all, &Tree::new());
        let (mut found, set) = settled(&wanted);
        let object = found.keys().nth(which % found.len()).cloned().unwrap();
        for value in found.get_mut(&object).unwrap().values_mut() {
            *value = Value::new("13");
        }
        let response = Response::Accept;
        let accept = DriftPolicy { limits: response, shares: response, tree: response };
        let planned = plan(&wanted, &found, &set, &accept);
        prop_assert_eq!(&planned.steps, &[]);
        prop_assert!(planned.agrees() && !planned.drift.is_empty());
    }
}
