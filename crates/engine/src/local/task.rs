//! From what a job asks to what its shepherd does.

use std::collections::BTreeMap;

use sched::NodePlacement;
use units::JobId;

use super::Shared;
use crate::carry::{Gpu, JobFolder, MARK, Task};
use crate::job::Spec;

/// Where every system keeps its programs.
const PROGRAM_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// The shepherd's task for a job that the scheduler has placed.
pub(super) fn compose(shared: &Shared, job: JobId, spec: &Spec, placement: &NodePlacement) -> Task {
    let settings = &shared.settings;
    let folder = shared.folder(job);
    let cpus = pick(&placement.cores, &shared.machine.cpus);
    let gpus = pick(&placement.gpus, &shared.machine.gpus);
    Task {
        job: job.to_string(),
        folder: folder.path().to_owned(),
        arguments: settings.carrier.arguments.clone(),
        environment: environment(shared, job, spec, &folder, &gpus),
        cpus,
        gpus,
        request: spec.request,
        network: spec.network,
        begins_in: spec.folder.clone(),
        output_names: (spec.stdout.clone(), spec.stderr.clone()),
        readable: settings.readable.clone(),
        grace_seconds: settings.grace_seconds,
        processes_max: settings.processes_max,
        file_bytes_max: settings.file_bytes_max,
        isolation: shared.isolation,
    }
}

/// The things that the scheduler knows by their numbers.
fn pick<T: Clone>(numbers: &[u32], all: &[T]) -> Vec<T> {
    numbers.iter().filter_map(|number| all.get(usize::try_from(*number).ok()?).cloned()).collect()
}

/// Defaults, then what the operator sets, then what the job sets, then what nobody may change.
fn environment(
    shared: &Shared,
    job: JobId,
    spec: &Spec,
    folder: &JobFolder,
    gpus: &[Gpu],
) -> BTreeMap<String, String> {
    let work = folder.work().display().to_string();
    let cores = spec.request.cores.to_string();
    let visible: Vec<&str> = gpus.iter().map(|gpu| gpu.uuid.as_str()).collect();
    // The hub's number, where it gives one, as scripts for Slurm expect it.
    let number = spec.environment.get("USINE_JOB_NUMBER").cloned();
    let number = number.unwrap_or_else(|| job.to_string());
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut all = BTreeMap::from([
        pair("PATH", PROGRAM_PATH),
        pair("LANG", "C.UTF-8"),
        pair("HOME", &work),
        pair("OMP_NUM_THREADS", &cores),
        pair("USINE_JOB_NAME", &spec.name),
        pair("SLURM_JOB_ID", &number),
        pair("SLURM_JOBID", &number),
        pair("SLURM_JOB_NAME", &spec.name),
        pair("SLURM_JOB_NUM_NODES", "1"),
        pair("SLURM_CPUS_ON_NODE", &cores),
        pair("SLURM_SUBMIT_DIR", &work),
    ]);
    all.extend(shared.settings.environment.clone());
    all.extend(spec.environment.clone());
    all.extend([
        pair(MARK, &job.to_string()),
        pair("TMPDIR", &folder.temporary().display().to_string()),
        pair("CUDA_VISIBLE_DEVICES", &visible.join(",")),
    ]);
    all
}
