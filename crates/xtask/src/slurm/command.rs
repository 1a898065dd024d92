//! `cargo xtask slurm`.

use std::path::PathBuf;

use anyhow::Result;
use clap::Subcommand;

use super::{Cluster, text};

#[derive(clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    order: Order,
}

#[derive(Subcommand)]
enum Order {
    /// Install Slurm where it is missing, bring a cluster up, and print the variables to reach it.
    Up(Up),
    /// Stop what was started for a cluster.
    Down(Down),
}

#[derive(clap::Args)]
struct Which {
    /// The cluster's name.
    #[arg(default_value = "usine")]
    name: String,
    /// Where its files are; a folder for temporary files when none is named.
    #[arg(long)]
    folder: Option<PathBuf>,
}

#[derive(clap::Args)]
struct Up {
    #[command(flatten)]
    which: Which,
    /// The first of its 400 ports; give every cluster its own.
    #[arg(long, default_value_t = 17_000)]
    ports: u16,
    /// How many nodes it pretends to have.
    #[arg(long, default_value_t = 4)]
    nodes: u16,
    /// GPUs of each node, by name only.
    #[arg(long, default_value_t = 0)]
    gpus: u16,
    /// Local users to make.
    #[arg(long, value_delimiter = ',')]
    users: Vec<String>,
}

#[derive(clap::Args)]
struct Down {
    #[command(flatten)]
    which: Which,
    /// Delete its files, accounting included.
    #[arg(long)]
    wipe: bool,
}

/// Brings a cluster up or down.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    match &arguments.order {
        Order::Up(up) => {
            let cluster = Cluster {
                ports: up.ports,
                nodes: up.nodes,
                gpus: up.gpus,
                users: up.users.clone(),
                ..up.which.cluster()
            };
            cluster.up()?;
            println!("export SLURM_CONF={}", text(&cluster.conf()));
            println!("export SLURM_REST_URL={}", cluster.rest_url());
            Ok(())
        }
        Order::Down(down) => down.which.cluster().down(down.wipe),
    }
}

impl Which {
    fn cluster(&self) -> Cluster {
        let plain = Cluster::named(&self.name);
        Cluster { folder: self.folder.clone().unwrap_or(plain.folder), ..plain }
    }
}
