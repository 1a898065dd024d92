//! The configuration files of a cluster.

use std::path::Path;

use anyhow::Result;

use super::{Cluster, Port, install, text};
use crate::shell;

/// How a cluster schedules that says nothing else.
pub(super) const SCHEDULING: &str = "\
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=2,bf_continue,batch_sched_delay=1
PriorityType=priority/multifactor
PriorityDecayHalfLife=1-0
PriorityCalcPeriod=1
PriorityWeightFairshare=100000
PriorityWeightQOS=50000
PriorityWeightAge=1000
PreemptType=preempt/qos
PreemptMode=REQUEUE";

/// Writes all of them; says whether `slurm.conf` is another than before.
pub(super) fn write(cluster: &Cluster) -> Result<bool> {
    let key = cluster.path("etc/jwt.key");
    if !key.exists() {
        install::secret(&key, "slurm")?;
    }
    let accounting = cluster.path("etc/slurmdbd.conf");
    std::fs::write(&accounting, slurmdbd_conf(cluster))?;
    shell::quiet("chmod", shell::command("chmod", ["600"]).arg(&accounting))?;
    shell::quiet("chown", shell::command("chown", ["slurm:slurm"]).arg(&accounting))?;
    std::fs::write(cluster.path("etc/gres.conf"), gres_conf(cluster))?;
    devices(cluster)?;
    let host = std::fs::read_to_string("/proc/sys/kernel/hostname")?;
    let host = host.trim().split('.').next().unwrap_or_default().to_owned();
    let conf = slurm_conf(cluster, &host);
    let path = cluster.conf();
    let changed = path.exists() && std::fs::read_to_string(&path)? != conf;
    std::fs::write(&path, conf)?;
    Ok(changed)
}

fn slurmdbd_conf(cluster: &Cluster) -> String {
    format!(
        "\
AuthType=auth/munge
AuthInfo=socket={socket}
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={key}
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=slurm
LogFile={log}
PidFile={pid}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=slurm
StorageLoc=slurm
",
        socket = text(&cluster.munge_socket()),
        key = text(&cluster.path("etc/jwt.key")),
        port = cluster.port(Port::Accounting),
        log = text(&cluster.path("tmp/slurmdbd.log")),
        pid = text(&cluster.path("tmp/slurmdbd.pid")),
        database = cluster.port(Port::Database),
    )
}

/// GPUs as Slurm knows them are device files; these have the right numbers and no driver.
fn gres_conf(cluster: &Cluster) -> String {
    match cluster.gpus {
        0 => String::new(),
        gpus => {
            format!("Name=gpu Type=test File={}/gpu[0-{}]\n", text(&cluster.path("dev")), gpus - 1)
        }
    }
}

/// NVIDIA's number among the kinds of character devices.
const DEVICE_KIND: &str = "195";

fn devices(cluster: &Cluster) -> Result<()> {
    for gpu in 0..cluster.gpus {
        let path = cluster.path(&format!("dev/gpu{gpu}"));
        if !path.exists() {
            let number = gpu.to_string();
            let mut make = shell::command("mknod", [Path::new("-m"), Path::new("666")]);
            shell::quiet("mknod", make.arg(&path).args(["c", DEVICE_KIND, &number]))?;
        }
    }
    Ok(())
}

/// The nodes, and the partition of all of them.
fn hardware(cluster: &Cluster, host: &str) -> String {
    let (name, first) = (&cluster.name, cluster.port(Port::Nodes));
    let (nodes, ports) = match cluster.nodes {
        1 => (format!("{name}-1"), first.to_string()),
        more => (format!("{name}-[1-{more}]"), format!("{first}-{}", first + more - 1)),
    };
    let (kinds, gpus) = match cluster.gpus {
        0 => ("", String::new()),
        gpus => (
            "GresTypes=gpu\nAccountingStorageTRES=gres/gpu,gres/gpu:test\n",
            format!(" Gres=gpu:test:{gpus}"),
        ),
    };
    format!(
        "\
{kinds}NodeName={nodes} NodeHostname={host} NodeAddr=127.0.0.1 Port={ports} CPUs={cores} RealMemory={memory}{gpus} State=UNKNOWN
PartitionName=batch Nodes={nodes} Default=YES MaxTime=2-0 DefaultTime=01:00:00 DefMemPerCPU=1024 State=UP
",
        cores = cluster.cores,
        memory = cluster.memory_mb,
    )
}

fn slurm_conf(cluster: &Cluster, host: &str) -> String {
    format!(
        "\
ClusterName={name}
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=slurm
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={socket}
AuthAltTypes=auth/jwt
AuthAltParameters=jwt_key={key}
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
StateSaveLocation={state}
SlurmdSpoolDir={spool}/%n
SlurmctldPidFile={run}/slurmctld.pid
SlurmdPidFile={run}/slurmd-%n.pid
SlurmctldLogFile={run}/slurmctld.log
SlurmdLogFile={run}/slurmd-%n.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
MpiDefault=none
SwitchType=switch/none
MailProg=/bin/true
ReturnToService=2
SlurmctldTimeout=60
SlurmdTimeout=60
KillWait=5
MinJobAge=600
SrunPortRange={srun}-{srun_last}
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
{scheduling}
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={accounting}
AccountingStoragePass={socket}
AccountingStorageEnforce=associations,limits,qos,safe
AccountingStoreFlags=job_comment
{hardware}",
        name = cluster.name,
        controller = cluster.port(Port::Controller),
        socket = text(&cluster.munge_socket()),
        key = text(&cluster.path("etc/jwt.key")),
        state = text(&cluster.path("state")),
        spool = text(&cluster.path("spool")),
        run = text(&cluster.path("tmp")),
        srun = cluster.port(Port::Srun),
        srun_last = cluster.ports + super::PORTS - 1,
        scheduling = cluster.scheduling.as_deref().unwrap_or(SCHEDULING),
        accounting = cluster.port(Port::Accounting),
        hardware = hardware(cluster, host),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_clusters_share_no_port_folder_or_node() {
        let one = Cluster::named("one");
        let two = Cluster { ports: one.ports + super::super::PORTS, ..Cluster::named("two") };
        let words = |cluster: &Cluster| -> Vec<String> {
            let text = slurm_conf(cluster, "host") + &slurmdbd_conf(cluster);
            let marked = |word: &&str| {
                ["Port", "File", "Dir", "Location", "NodeName"].iter().any(|it| word.contains(it))
            };
            text.split_whitespace().filter(marked).map(str::to_owned).collect()
        };
        let (one, two) = (words(&one), words(&two));
        assert_eq!(one.len(), 15);
        assert!(one.iter().all(|word| !two.contains(word)), "{one:#?}");
    }
}
