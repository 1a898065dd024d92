//! What keeps a real cluster from taking work, told by either way.

use std::time::Duration;

use engine::slurm::{RestSettings, Settings, SlurmEngine};
use engine::{Condition, Engine as _, Health};

use super::cluster::Cluster;

/// Undoes what a test ordered, however it ends.
struct Ordered<'c> {
    cluster: &'c Cluster,
    node: String,
    nodes: usize,
}

impl Ordered<'_> {
    fn by(cluster: &Cluster) -> Ordered<'_> {
        let nodes = cluster.ask("sinfo", &["--noheader", "--Node", "--format=%N"], &[0]);
        let node = nodes.lines().next().unwrap().trim().to_owned();
        let named = format!("NodeName={node}");
        let control = |arguments: &[&str]| cluster.ask("scontrol", arguments, &[0]);
        control(&["update", &named, "State=DRAIN", "Reason=fan | see 7"]);
        control(&[
            "create",
            "reservation",
            "ReservationName=service",
            "StartTime=now+1hour",
            "Duration=120",
            "Nodes=ALL",
            "Flags=MAINT,IGNORE_JOBS",
            "Users=root",
        ]);
        control(&["update", "PartitionName=batch", "State=DRAIN"]);
        Ordered { cluster, node, nodes: nodes.lines().count() }
    }
}

impl Drop for Ordered<'_> {
    fn drop(&mut self) {
        let undo = |arguments: &[&str]| self.cluster.ask("scontrol", arguments, &[0, 1]);
        undo(&["update", &format!("NodeName={}", self.node), "State=RESUME"]);
        undo(&["delete", "ReservationName=service"]);
        undo(&["update", "PartitionName=batch", "State=UP"]);
    }
}

async fn told(settings: Settings) -> Health {
    SlurmEngine::open(settings).await.unwrap().health().await.unwrap()
}

#[tokio::test]
async fn drained_nodes_maintenance_and_a_closed_partition_are_told_by_either_way() {
    let Some(cluster) = Cluster::new() else { return };
    let by_rest = RestSettings::new(cluster.rest.clone());
    let ways =
        || [cluster.settings(), Settings { rest: Some(by_rest.clone()), ..cluster.settings() }];
    for settings in ways() {
        let health = told(settings).await;
        assert_eq!((&health.closed, health.reserved.len()), (&None, 0));
        assert!(health.accounting_backlog.is_some());
    }
    let ordered = Ordered::by(&cluster);
    for settings in ways() {
        let health = told(settings).await;
        assert_eq!(health.closed.as_deref(), Some("drain"));
        let [away] = &health.away[..] else { panic!("{health:?}") };
        assert_eq!((&away.name, away.condition), (&ordered.node, Condition::Drained));
        assert_eq!(away.reason, "fan | see 7");
        assert!(away.since.is_some());
        let [reserved] = &health.reserved[..] else { panic!("{health:?}") };
        assert_eq!(reserved.name, "service");
        assert_eq!(usize::try_from(reserved.nodes).unwrap(), ordered.nodes);
        assert!(reserved.maintenance && reserved.until > reserved.from);
    }
    drop(ordered);
    // A node that was resumed counts as silent until it has answered.
    for _ in 0..60 {
        if told(cluster.settings()).await.away.is_empty() {
            break;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let health = told(cluster.settings()).await;
    assert_eq!((health.closed, health.away, health.reserved), (None, vec![], vec![]));
}
