use site::protocol::{End, EventBody, MetricPoint, Stream as Wire};

use super::super::{Cursor, Stream};
use super::yard::Yard;

/// A small generator of pseudo-random numbers (Knuth's MMIX), so that a failure can be repeated.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % bound
    }
}

#[tokio::test]
async fn whatever_order_events_come_in_and_however_often_a_job_is_charged_once() {
    for yard in Yard::each().await {
        for seed in 0..15 {
            let mut dice = Dice(seed);
            let before = yard.balance(yard.allocation).await;
            let job = yard.job("#SBATCH --time=10").await;
            let events = yard.run(End::Completed, 77).map(|body| yard.event(job.id, body));
            let [_, _, ended] = events.clone();
            let mut sent: Vec<_> = events.into_iter().collect();
            for _ in 0..6 {
                let copy = sent[dice.below(sent.len())].clone();
                sent.insert(dice.below(sent.len() + 1), copy);
            }
            for index in (1..sent.len()).rev() {
                sent.swap(index, dice.below(index + 1));
            }
            let mut fresh = 0;
            while !sent.is_empty() {
                let batch: Vec<_> = sent.drain(..1 + dice.below(sent.len().min(3))).collect();
                fresh += yard.send(batch).await.taken;
            }
            // The same report under a new key, as an agent that lost its records would send it.
            yard.report(job.id, ended.body).await;
            assert_eq!(fresh, 3, "seed {seed}");
            assert_eq!(yard.stands(job.id).await, "completed", "seed {seed}");
            let after = yard.balance(yard.allocation).await;
            assert_eq!(after, (before.0 - 77, 0, before.2 + 77), "seed {seed}");
        }
        yard.audit().await;
    }
}

#[tokio::test]
async fn a_site_reports_only_on_its_own_jobs() {
    let yard = Yard::new().await;
    let stranger = yard.app().clock().mint();
    let receipt =
        yard.send(vec![yard.event(units::JobId::from_uuid(stranger), EventBody::Accepted)]).await;
    assert_eq!((receipt.taken, receipt.repeated), (0, 1));
}

fn log(offset: u64, text: &[u8]) -> EventBody {
    EventBody::Log { stream: Wire::Stdout, offset, bytes: text.to_vec() }
}

#[tokio::test]
async fn text_is_kept_once_wherever_its_pieces_were_cut() {
    for yard in Yard::each().await {
        let job = yard.job("true").await.id;
        for (offset, text) in [(0, "one "), (2, "e two "), (4, "two"), (8, "thr\u{e9}")] {
            yard.report(job, log(offset, text.as_bytes())).await;
        }
        let read = async |offset| {
            yard.app().job_log(&yard.ada, job, Stream::Stdout, offset).await.unwrap()
        };
        let all = read(0).await;
        assert_eq!(String::from_utf8(all.bytes).unwrap(), "one two thr\u{e9}");
        assert!(!all.complete);
        assert_eq!(read(9).await.bytes, "hr\u{e9}".as_bytes());
        assert!(read(99).await.bytes.is_empty());
        // Half a character is kept back until the rest of it has come.
        yard.report(job, log(13, &[0xe2, 0x82])).await;
        assert_eq!(read(8).await.bytes, "thr\u{e9}".as_bytes());
        yard.report(job, log(15, &[0xac])).await;
        assert_eq!(read(13).await.bytes, "\u{20ac}".as_bytes());
        yard.ends(job, End::Completed, 1).await;
        assert!(read(0).await.complete);
    }
}

#[tokio::test]
async fn followers_get_what_is_new_and_go_on_where_they_were() {
    for yard in Yard::each().await {
        let job = yard.job("true").await.id;
        let point = |step: u64, value: f64| MetricPoint { step, name: "loss".to_owned(), value };
        yard.report(job, log(0, b"a")).await;
        let points = vec![point(1, 4.5), point(2, f64::NAN), point(3, 4.25)];
        yard.report(job, EventBody::Metrics { points }).await;
        let news = yard.app().job_news(&yard.ada, job, Cursor::default()).await.unwrap();
        assert_eq!(news.logs.len(), 1);
        let steps: Vec<_> = news.metrics.iter().map(|metric| (metric.step, metric.value)).collect();
        assert_eq!(steps, [(1, 4.5), (3, 4.25)]);
        assert_eq!(news.cursor.to_string().parse(), Ok(news.cursor));
        let again = yard.app().job_news(&yard.ada, job, news.cursor).await.unwrap();
        assert!(again.logs.is_empty() && again.metrics.is_empty());
        yard.report(job, log(1, b"b")).await;
        let more = yard.app().job_news(&yard.ada, job, news.cursor).await.unwrap();
        assert_eq!(more.logs[0].1.bytes, b"b");
        assert!("1.2".parse::<Cursor>().is_err() && "1.2.3.4".parse::<Cursor>().is_err());
    }
}
