use access::organisation::Class;
use futures_util::TryStreamExt;
use jiff::SignedDuration;
use site::protocol::End;
use twin::trace::{Entry, Format, Trace, read};

use super::*;
use crate::Role;
use crate::jobs::tests::yard::Yard;

/// Everything that was ever submitted.
fn ever() -> Period {
    Period::new(Timestamp::UNIX_EPOCH, Timestamp::MAX).unwrap()
}

async fn exported(yard: &Yard, actor: &Actor, period: Period) -> Result<String, Error> {
    let history = yard.app().history(actor, &"meluxina-ai".parse().unwrap(), period).await?;
    let parts: Vec<Bytes> = history.text().try_collect().await?;
    Ok(String::from_utf8(parts.concat()).unwrap())
}

async fn operator(yard: &Yard) -> Actor {
    let grants = [(Role::SiteOperator, Scope::Factory("meluxina-ai".parse().unwrap()))];
    yard.hub.person("olga", &grants).await.1
}

fn twin_reads(text: &str) -> Trace {
    read(text.as_bytes(), Format::History).unwrap()
}

#[tokio::test]
async fn the_twin_reads_back_what_ran_and_counts_what_did_not() {
    for yard in Yard::each().await {
        let olga = operator(&yard).await;
        let first = yard.job("#SBATCH --time=10 -c 2").await;
        yard.hub.clock.advance(SignedDuration::from_secs(30));
        yard.ends(first.id, End::Completed, 90).await;
        let second = yard.job("#SBATCH --time=20 -c 4").await;
        yard.ends(second.id, End::TimedOut, 1_200).await;
        let refused = yard.job("#SBATCH --time=1").await;
        let reason = "no such interpreter".to_owned();
        yard.report(refused.id, site::protocol::EventBody::Refused { reason }).await;
        yard.job("#SBATCH --time=1 -J waits").await;

        let trace = twin_reads(&exported(&yard, &olga, ever()).await.unwrap());
        let of = |entry: &Entry| {
            (entry.submit, entry.run_seconds, entry.limit_seconds, entry.nodes, entry.cores)
        };
        let submit = first.submitted_at.as_second();
        let told: Vec<_> = trace.entries.iter().map(of).collect();
        assert_eq!(
            told,
            [(submit, 90, Some(600), 1, 2), (submit + 30, 1_200, Some(1_200), 1, 4)],
            "submission, run, limit, nodes, cores"
        );
        let name = |id| trace.names.name(id).to_owned();
        for entry in &trace.entries {
            assert_eq!(name(entry.account), yard.project.to_string());
            assert_eq!(name(entry.queue), "meluxina-ai.gpu");
            assert_eq!(name(entry.class), Class::StartUp.to_string());
        }
        assert_eq!((trace.skipped.not_run, trace.skipped.unfinished), (1, 0));
    }
}

#[tokio::test]
async fn a_person_has_one_pseudonym_that_does_not_give_them_away() {
    for yard in Yard::each().await {
        let olga = operator(&yard).await;
        for _ in 0..2 {
            let job = yard.job("#SBATCH --time=1").await;
            yard.ends(job.id, End::Completed, 5).await;
        }
        let text = exported(&yard, &olga, ever()).await.unwrap();
        let trace = twin_reads(&text);
        let [one, two] = trace.entries.as_slice() else { panic!("{text}") };
        assert_eq!(one.user, two.user);
        let called = trace.names.name(one.user);
        assert_eq!(called.len(), PSEUDONYM_DIGITS);
        let again = exported(&yard, &olga, ever()).await.unwrap();
        assert_eq!(again, text, "the pseudonym of a later export is the same");
        let ada = yard.ada.person_id().unwrap();
        for known in [ada.to_string(), ada.uuid().simple().to_string(), "ada@".to_owned()] {
            assert!(!text.contains(&known), "{known} stands in\n{text}");
        }
        let other_hub = Pseudonyms([0; 32]);
        assert_ne!(other_hub.of(ada), called, "another key gives another name");
    }
}

#[tokio::test]
async fn a_history_holds_what_was_submitted_in_its_period_page_by_page() {
    let yard = Yard::new().await;
    let olga = operator(&yard).await;
    let mut submitted = Vec::new();
    for _ in 0..3 {
        let job = yard.job("#SBATCH --time=1").await;
        yard.ends(job.id, End::Completed, 5).await;
        submitted.push(job);
        yard.hub.clock.advance(SignedDuration::from_mins(1));
    }
    let period = Period::new(submitted[0].submitted_at, submitted[2].submitted_at).unwrap();
    let trace = twin_reads(&exported(&yard, &olga, period).await.unwrap());
    assert_eq!(trace.entries.len(), 2, "the end of the period does not belong to it");

    let tx = yard.app().store().read().await.unwrap();
    let (factory, mut after, mut seen) = ("meluxina-ai".parse().unwrap(), None, Vec::new());
    while let [job] = &store::jobs::history(&tx, (&factory, ever()), after, 1).await.unwrap()[..] {
        after = Some((job.submitted_at, job.id));
        seen.push(job.id);
    }
    let ids: Vec<JobId> = submitted.iter().map(|job| job.id).collect();
    assert_eq!(seen, ids);
}

#[tokio::test]
async fn only_who_answers_for_the_factory_takes_its_history_out_and_the_trail_says_so() {
    let yard = Yard::new().await;
    let refused = exported(&yard, &yard.ada, ever()).await;
    assert!(matches!(refused, Err(Error::Forbidden(Action::ExportHistory))));
    let elsewhere = [(Role::SiteOperator, Scope::Factory("lumi-aif".parse().unwrap()))];
    let (_, elsewhere) = yard.hub.person("otto", &elsewhere).await;
    assert!(exported(&yard, &elsewhere, ever()).await.is_err());
    let nowhere = yard.app().history(&Actor::system(), &"atlantis".parse().unwrap(), ever()).await;
    assert!(matches!(nowhere, Err(Error::NotFound("factory"))));

    let (_, officer) =
        yard.hub.person("petra", &[(Role::ProgrammeOfficer, Scope::Federation)]).await;
    let heading_only = exported(&yard, &officer, ever()).await.unwrap();
    assert_eq!(heading_only.lines().count(), 1);
    let trail = yard.app().audit_trail(&officer, Some("factory:meluxina-ai"), None, 10);
    let trail = trail.await.unwrap();
    let lines: Vec<&str> = trail.iter().map(|line| line.action.as_str()).collect();
    assert_eq!(lines, ["history.export"]);
    assert_eq!(trail[0].actor, officer.subject().to_string());
}
