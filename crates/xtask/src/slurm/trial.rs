//! The clusters that tests and measurements run on.

use std::ffi::OsString;
use std::net::TcpListener;

use anyhow::{Context, Result};

use super::{Cluster, PORTS, Port};
use crate::shell;

/// The people of the tests.
const PEOPLE: [&str; 2] = ["usine-ann", "usine-ben"];
/// The first port that may be a test cluster's, and the last.
const FROM: u16 = 26_000;
const UNTIL: u16 = 32_000;
const NODES: u16 = 2;
/// How a cluster schedules on which nothing but the way in is measured: as Slurm does by default, and
/// with room for more jobs than that.
const PLAIN: &str = "\
SchedulerType=sched/backfill
PriorityType=priority/basic
MaxJobCount=50000";

impl Cluster {
    /// Brings up a small cluster that no other run of the tests uses; `None`, said aloud, where that
    /// takes rights that this process lacks.
    pub(crate) fn for_tests() -> Result<Option<Self>> {
        Self::of_its_own("test", None)
    }

    /// The same for a measurement, with room for tens of thousands of jobs.
    pub(crate) fn for_bench() -> Result<Option<Self>> {
        Self::of_its_own("bench", Some(PLAIN.to_owned()))
    }

    fn of_its_own(name: &str, scheduling: Option<String>) -> Result<Option<Self>> {
        if !shell::is_root() {
            println!("==> no Slurm, which is left out: a cluster is brought up by root only");
            return Ok(None);
        }
        let ports = free_ports().context("no block of ports is free for a cluster")?;
        let cluster = Self {
            ports,
            nodes: NODES,
            gpus: 2,
            scheduling,
            users: PEOPLE.map(str::to_owned).to_vec(),
            ..Self::named(&format!("{name}{ports}"))
        };
        cluster.down(true)?;
        cluster.up()?;
        Ok(Some(cluster))
    }

    /// What the tests read, as environment variables.
    pub(crate) fn environment(&self) -> Result<[(&'static str, OsString); 3]> {
        let this = std::env::current_exe()?.display().to_string();
        let users = PEOPLE.join(",");
        let up = format!(
            "{this} slurm up {} --ports {} --nodes {} --gpus {} --users {users}",
            self.name, self.ports, self.nodes, self.gpus
        );
        Ok([
            ("USINE_TEST_SLURM", self.conf().into()),
            ("USINE_TEST_SLURM_REST", self.rest_url().into()),
            ("USINE_TEST_SLURM_UP", up.into()),
        ])
    }
}

/// The first of so many ports of which nobody uses those that daemons would listen on.
fn free_ports() -> Option<u16> {
    let last = Port::Nodes as u16 + NODES;
    let is_free = |first: &u16| {
        (*first..first + last).all(|port| TcpListener::bind(("127.0.0.1", port)).is_ok())
    };
    (FROM..UNTIL).step_by(usize::from(PORTS)).find(is_free)
}
