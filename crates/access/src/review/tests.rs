//! Stories of reviewers and applications, and what holds for all of them.
#![expect(clippy::arithmetic_side_effects, reason = "small figures of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Debug;
use std::str::FromStr;

use proptest::prelude::*;
use units::{ApplicationId, PersonId, Slug, Timestamp};

use super::*;
use crate::policy::{Entry, Field, Order, Procedure};
use crate::testing::{day, policy};

fn slug(text: &str) -> Slug {
    text.parse().unwrap()
}

fn id<T: FromStr<Err: Debug>>(number: usize) -> T {
    format!("00000000-0000-0000-0000-{number:012}").parse().unwrap()
}

fn person(number: usize) -> PersonId {
    id(number)
}

fn procedure(mode: &str) -> &'static Entry<Procedure> {
    policy().procedure(&slug(mode), day("2026-11-22")).unwrap()
}

fn fields() -> Vec<Field> {
    policy().fields(day("2026-11-22"))
}

fn reviewer(number: usize, known: &str) -> Reviewer {
    Reviewer {
        person: person(number),
        organisations: BTreeSet::new(),
        mail: None,
        fields: known.split_whitespace().map(slug).collect(),
        published_with: Vec::new(),
        load_max: 8,
    }
}

fn candidate(number: usize, about: &str) -> Candidate {
    Candidate {
        application: id(number),
        organisation: id(number),
        undertaking: BTreeSet::new(),
        team: Vec::new(),
        fields: about.split_whitespace().map(slug).collect(),
        declared: BTreeMap::new(),
        judged_by: BTreeSet::new(),
    }
}

fn assigned(pool: &[Reviewer], candidates: &[Candidate]) -> Assignment {
    let rules = (&procedure("regular").says, &fields()[..], &[][..]);
    assign((pool, candidates), rules, &mut |_, _| {})
}

#[test]
fn whoever_knows_the_field_judges_and_the_reason_says_so() {
    let pool: Vec<_> = ["pe6", "pe6 ls2", "pe6", "sh1", "pe1"]
        .iter()
        .enumerate()
        .map(|(number, known)| reviewer(number, known))
        .collect();
    let assignment = assigned(&pool, &[candidate(100, "pe6")]);
    let who: Vec<_> = assignment.pairs.iter().map(|pair| pair.reviewer).collect();
    assert_eq!(who, [person(0), person(1), person(2)]);
    assert_eq!(
        assignment.pairs[0].to_string(),
        "knows the field (pe6), no conflict found, judges 1 in all"
    );
    assert_eq!(assignment.short, []);
}

#[test]
fn nobody_judges_their_own_house_and_the_lack_is_told() {
    let mut asking = candidate(100, "pe6");
    asking.undertaking.insert(id(7));
    asking.team.push(Applying {
        person: Some(person(3)),
        name: "Ada Lovelace".to_owned(),
        mail: Some("ada@cs.example.org".parse().unwrap()),
    });
    asking.declared.insert(person(4), "my former student".to_owned());
    let mut pool: Vec<_> = (0..7).map(|number| reviewer(number, "pe6")).collect();
    pool[0].organisations.insert(asking.organisation);
    pool[1].organisations.insert(id(7));
    pool[2].mail = Some("example.org".parse().unwrap());
    pool[5].published_with.push("A. Lovelace".to_owned());
    let assignment = assigned(&pool, &[asking.clone()]);
    assert_eq!(assignment.pairs.len(), 1);
    assert_eq!(assignment.pairs[0].reviewer, person(6));
    let short = &assignment.short[0];
    assert_eq!((short.found, short.wanted, short.full), (1, 3, 0));
    let names: Vec<_> = short.conflicts.iter().collect();
    assert_eq!(
        names,
        [
            (&"co-applicant", &1),
            (&"declared", &1),
            (&"linked-enterprise", &1),
            (&"mail-domain", &1),
            (&"publication", &1),
            (&"same-organisation", &1)
        ]
    );
}

#[test]
fn mail_that_anybody_may_have_joins_nobody() {
    let mut asking = candidate(100, "pe6");
    let mail = |text: &str| Some(text.parse().unwrap());
    let applying = |mail| Applying { person: None, name: "Ada".to_owned(), mail };
    asking.team.push(applying(mail("ada@gmail.com")));
    let mut judge = reviewer(1, "pe6");
    judge.mail = mail("ben@gmail.com");
    let public = policy().public_mail(day("2026-11-22"));
    assert_eq!(conflicts(&judge, &asking, &public), []);
    assert_eq!(conflicts(&judge, &asking, &[]).len(), 1);
}

fn scores(points: [&str; 3]) -> Scores {
    let procedure = &procedure("regular").says;
    let keys = procedure.criteria.iter().map(|it| it.key.clone());
    Scores::new(keys.zip(points.map(|it| it.parse().unwrap())).collect(), procedure).unwrap()
}

#[test]
fn reviewers_who_differ_too_much_agree_before_it_counts() {
    let procedure = &procedure("regular").says;
    let two = [scores(["4", "4", "4"]), scores(["4", "1.5", "4"])];
    let standing = |reviews: &[Scores], agreed: Option<&Scores>| {
        evaluate(procedure, reviews, agreed).unwrap().standing
    };
    assert_eq!(standing(&two, None), Standing::Incomplete { have: 2, want: 3 });
    let three = [two[0].clone(), two[1].clone(), scores(["4", "4", "4"])];
    assert_eq!(standing(&three, None), Standing::Apart(vec![slug("innovation-and-impact")]));
    let agreed = scores(["4", "3", "4"]);
    assert_eq!(standing(&three, Some(&agreed)), Standing::Passed);
    let weak = scores(["4", "2.5", "4"]);
    assert_eq!(standing(&three, Some(&weak)), Standing::Below(vec![slug("innovation-and-impact")]));
    let level = [scores(["3", "3", "3"]), scores(["3", "3", "3"]), scores(["3", "3", "3"])];
    assert_eq!(standing(&level, None), Standing::Below(vec![]), "9 of 10 in all");
    assert_eq!(evaluate(procedure, &level, None).unwrap().total.to_string(), "9.00");
}

#[test]
fn points_beyond_the_scale_or_for_nothing_are_faults() {
    let procedure = &procedure("regular").says;
    let points = [("excellence", "5.5"), ("style", "3")];
    let points = points.map(|(key, points)| (slug(key), points.parse().unwrap()));
    let faults = Scores::new(points.into_iter().collect(), procedure).unwrap_err();
    let told: Vec<_> = faults.iter().map(ToString::to_string).collect();
    assert_eq!(
        told,
        [
            "innovation-and-impact has no points yet",
            "implementation has no points yet",
            "excellence has 5.5 points; the scale ends at 5",
            "there is no criterion `style` in this procedure",
        ]
    );
}

#[test]
fn those_who_tie_share_a_place_and_the_next_is_left_out() {
    let procedure = &procedure("regular").says;
    let judged = |number: usize, at: &str, points: [&str; 3]| {
        let reviews = [scores(points), scores(points), scores(points)];
        let at: Timestamp = at.parse().unwrap();
        let evaluation = evaluate(procedure, &reviews, None).unwrap();
        (id(number), at, evaluation)
    };
    let all = [
        judged(1, "2026-03-04T10:00:00Z", ["4", "4", "3"]),
        judged(2, "2026-03-03T10:00:00Z", ["3", "4", "4"]),
        judged(3, "2026-03-02T10:00:00Z", ["5", "5", "5"]),
        judged(4, "2026-03-01T10:00:00Z", ["5", "5", "2"]),
        judged(5, "2026-03-05T10:00:00Z", ["3", "3", "4"]),
    ];
    let number = |of: ApplicationId| (1..=5).find(|number| of == id(*number)).unwrap();
    let order = |order| {
        let places = rank(order, &all);
        places.iter().map(|it| (it.place, number(it.application), it.tied)).collect::<Vec<_>>()
    };
    let best = [(1, 3, false), (2, 1, true), (2, 2, true), (4, 5, false)];
    assert_eq!(order(Order::Score), best);
    let first = [(1, 3, false), (2, 2, false), (3, 1, false), (4, 5, false)];
    assert_eq!(order(Order::FirstCome), first);
}

/// The least that any assignment of `wanted` reviews each can cost, after placing the most: by
/// trying everything.
fn by_trying(pool: &[Reviewer], candidates: &[Candidate], procedure: &Procedure) -> (u32, i64) {
    fn next(
        slots: &[(usize, Vec<i64>)],
        loads: &mut [u32],
        taken: &mut Vec<(usize, usize)>,
        room: &[u32],
    ) -> (u32, i64) {
        let Some(((candidate, costs), rest)) = slots.split_first() else { return (0, 0) };
        let mut best = next(rest, loads, taken, room);
        for (place, cost) in costs.iter().enumerate().filter(|(_, cost)| **cost >= 0) {
            if loads[place] >= room[place] || taken.contains(&(*candidate, place)) {
                continue;
            }
            let further = i64::from(loads[place]);
            loads[place] += 1;
            taken.push((*candidate, place));
            let (placed, rest_cost) = next(rest, loads, taken, room);
            taken.pop();
            loads[place] -= 1;
            let found = (placed + 1, rest_cost + cost + further);
            if found.0 > best.0 || (found.0 == best.0 && found.1 < best.1) {
                best = found;
            }
        }
        best
    }
    let slots: Vec<_> = candidates
        .iter()
        .enumerate()
        .flat_map(|(number, candidate)| {
            let costs: Vec<i64> = pool
                .iter()
                .map(|reviewer| match conflicts(reviewer, candidate, &[]).is_empty() {
                    false => -1,
                    true => cost(reviewer, candidate, procedure),
                })
                .collect();
            (0..procedure.reviewers).map(move |_| (number, costs.clone()))
        })
        .collect();
    let room: Vec<u32> = pool.iter().map(|it| it.load_max).collect();
    next(&slots, &mut vec![0; pool.len()], &mut Vec::new(), &room)
}

fn cost(reviewer: &Reviewer, candidate: &Candidate, procedure: &Procedure) -> i64 {
    let shared = reviewer.fields.intersection(&candidate.fields).count();
    let domain = |field: &Slug| field.as_str()[..2].to_owned();
    let near =
        reviewer.fields.iter().any(|a| candidate.fields.iter().any(|b| domain(a) == domain(b)));
    i64::from(match (shared > 0, near) {
        (true, _) => 0,
        (false, true) => procedure.cost_of_domain,
        (false, false) => procedure.cost_of_other,
    })
}

fn known() -> impl Strategy<Value = String> {
    prop::sample::subsequence(vec!["pe1", "pe6", "ls2", "sh1"], 1..3).prop_map(|it| it.join(" "))
}

fn pool(most: usize) -> impl Strategy<Value = Vec<Reviewer>> {
    prop::collection::vec((known(), 0_u32..3, 0_usize..12), 1..most).prop_map(|all| {
        let one = |(number, (known, load_max, house)): (usize, (String, u32, usize))| Reviewer {
            load_max,
            organisations: [id(house)].into(),
            ..reviewer(number + 1000, &known)
        };
        all.into_iter().enumerate().map(one).collect()
    })
}

fn asking(most: usize) -> impl Strategy<Value = Vec<Candidate>> {
    prop::collection::vec(known(), 1..most).prop_map(|all| {
        all.iter().enumerate().map(|(number, about)| candidate(number, about)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn an_assignment_is_the_best_there_is((pool, candidates) in (pool(5), asking(3))) {
        let procedure = Procedure { reviewers: 2, ..procedure("regular").says.clone() };
        let fields = fields();
        let rules = (&procedure, &fields[..], &[][..]);
        let found = assign((&pool, &candidates), rules, &mut |_, _| {});
        let mut loads: BTreeMap<PersonId, i64> = BTreeMap::new();
        let mut total = 0;
        for pair in &found.pairs {
            let judge = pool.iter().find(|it| it.person == pair.reviewer).unwrap();
            let asking = candidates.iter().find(|it| it.application == pair.application).unwrap();
            let load = loads.entry(pair.reviewer).or_default();
            total += cost(judge, asking, &procedure) + *load;
            *load += 1;
        }
        let best = by_trying(&pool, &candidates, &procedure);
        prop_assert_eq!((u32::try_from(found.pairs.len()).unwrap(), total), best);
    }

    #[test]
    fn no_rule_is_broken_and_order_does_not_matter(
        (pool, candidates) in (pool(12), asking(12)),
    ) {
        let found = assigned(&pool, &candidates);
        let mut seen = BTreeSet::new();
        let mut loads: BTreeMap<PersonId, u32> = BTreeMap::new();
        for pair in &found.pairs {
            prop_assert!(seen.insert((pair.application, pair.reviewer)), "twice the same");
            let judge = pool.iter().find(|it| it.person == pair.reviewer).unwrap();
            let asking = candidates.iter().find(|it| it.application == pair.application).unwrap();
            prop_assert_eq!(conflicts(judge, asking, &[]), vec![]);
            *loads.entry(pair.reviewer).or_default() += 1;
        }
        for judge in &pool {
            prop_assert!(loads.get(&judge.person).copied().unwrap_or(0) <= judge.load_max);
        }
        let (mut turned, mut asked) = (pool, candidates);
        turned.reverse();
        asked.reverse();
        prop_assert_eq!(assigned(&turned, &asked), found);
    }

    #[test]
    fn what_is_assigned_stays_and_a_second_run_adds_nothing(
        (pool, mut candidates) in (pool(12), asking(12)),
    ) {
        let first = assigned(&pool, &candidates);
        for pair in &first.pairs {
            let of = candidates.iter_mut().find(|it| it.application == pair.application);
            of.unwrap().judged_by.insert(pair.reviewer);
        }
        let second = assigned(&pool, &candidates);
        prop_assert_eq!(second.pairs, vec![]);
        prop_assert_eq!(second.short.len(), first.short.len());
    }
}
