//! Jobs as processes of this machine.

mod machine;
mod queue;
mod settings;
mod task;

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _, Seek as _};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sched::Snapshot;
use units::JobId;

use crate::carry::{Isolation, JobFolder, Task};
use crate::job::{Capacity, Network, Observation, Request, Spec, Stream};
use crate::{Engine, Error, beneath, run_blocking};
use machine::Machine;
use queue::Queue;

pub use settings::{Carrier, ControlGroups, Settings};

/// Carries jobs out as processes of this machine, as far apart as it allows without root.
///
/// What there is to know of a job stands in files, written before it is acted on. Dropping the
/// engine, or killing the process that holds it, leaves running jobs alone; the next engine on
/// the same folder finds them.
#[derive(Clone, Debug)]
pub struct LocalEngine {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    settings: Settings,
    machine: Machine,
    isolation: Isolation,
    queue: Mutex<Queue>,
}

impl LocalEngine {
    /// Finds out what this machine has and allows, and which jobs are in the folder already.
    ///
    /// # Errors
    /// When the folder cannot be used, or the carrier does not answer.
    pub async fn open(settings: Settings) -> Result<Self, Error> {
        run_blocking(move || {
            let machine =
                Machine::discover(&settings).map_err(Error::system("look at this machine"))?;
            fs::create_dir_all(settings.folder.join("jobs"))
                .map_err(Error::system("make the folder for jobs"))?;
            let isolation =
                probe(&settings).map_err(Error::system("try out what this machine allows"))?;
            if !isolation.hides_files() {
                tracing::warn!("jobs on this machine can read the files of the user it runs as");
            }
            let mut queue = Queue::new(&machine)?;
            queue.adopt(&settings, &machine)?;
            let queue = Mutex::new(queue);
            Ok(Self { shared: Arc::new(Shared { settings, machine, isolation, queue }) })
        })
        .await
    }

    /// What keeps jobs apart here.
    pub fn isolation(&self) -> Isolation {
        self.shared.isolation
    }

    async fn with<T, F>(&self, act: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    {
        let shared = Arc::clone(&self.shared);
        run_blocking(move || act(&shared)).await
    }
}

impl Shared {
    fn folder(&self, job: JobId) -> JobFolder {
        JobFolder::new(&self.settings.folder.join("jobs").join(job.to_string()))
    }

    /// A panic while the queue was held cannot have left a file half written, so go on.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn submit(&self, job: JobId, spec: &Spec) -> Result<(), Error> {
        let mut queue = self.queue();
        if queue.knows(job) {
            return Ok(());
        }
        spec.check()?;
        self.prepare(job)?;
        queue.submit(&self.folder(job), job, spec)
    }

    fn prepare(&self, job: JobId) -> Result<PathBuf, Error> {
        let folder = self.folder(job);
        let make = |path: PathBuf| fs::create_dir_all(path);
        [folder.work(), folder.temporary(), folder.root()]
            .into_iter()
            .try_for_each(make)
            .and_then(|()| crate::record::sync_parent(folder.path()))
            .map_err(Error::system("make the folder of a job"))?;
        Ok(folder.work())
    }

    fn read(&self, job: JobId, stream: Stream, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let folder = self.folder(job);
        let opened = match stream {
            Stream::Stdout => File::open(folder.stdout()),
            Stream::Stderr => File::open(folder.stderr()),
            Stream::Metrics => beneath::open(&folder.work(), "metrics.jsonl"),
        };
        let mut file = match opened {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            opened => opened?,
        };
        file.seek(io::SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(u64::try_from(most).unwrap_or(u64::MAX)).read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}

impl Engine for LocalEngine {
    fn capacity(&self) -> Capacity {
        let machine = &self.shared.machine;
        Capacity {
            host: machine.host.clone(),
            nodes: 1,
            cores: u32::try_from(machine.cpus.len()).unwrap_or(u32::MAX),
            memory_mb: machine.memory_mb,
            gpus: machine.gpus.iter().map(|gpu| gpu.name.clone()).collect(),
            isolation: self.shared.isolation.describe(),
        }
    }

    async fn prepare(&self, job: JobId) -> Result<PathBuf, Error> {
        self.with(move |shared| shared.prepare(job)).await
    }

    async fn knows(&self, job: JobId) -> Result<bool, Error> {
        self.with(move |shared| Ok(shared.queue().knows(job))).await
    }

    async fn submit(&self, job: JobId, spec: &Spec) -> Result<(), Error> {
        let spec = spec.clone();
        self.with(move |shared| shared.submit(job, &spec)).await
    }

    async fn cancel(&self, job: JobId) -> Result<(), Error> {
        self.with(move |shared| shared.queue().cancel(&shared.folder(job), job)).await
    }

    async fn observe(&self) -> Result<Vec<Observation>, Error> {
        self.with(|shared| shared.queue().observe(shared)).await
    }

    async fn snapshot(&self) -> Result<Snapshot, Error> {
        self.with(|shared| shared.queue().snapshot()).await
    }

    async fn read(
        &self,
        job: JobId,
        stream: Stream,
        offset: u64,
        length_max: usize,
    ) -> Result<Vec<u8>, Error> {
        self.with(move |shared| {
            shared
                .read(job, stream, offset, length_max)
                .map_err(Error::system("read what a job wrote"))
        })
        .await
    }

    async fn clear(&self, job: JobId) -> Result<(), Error> {
        self.with(move |shared| shared.queue().clear(&shared.folder(job), job)).await
    }
}

/// Tries out what this machine allows on a job that does nothing.
fn probe(settings: &Settings) -> io::Result<Isolation> {
    let folder = JobFolder::new(&settings.folder.join(format!("probe-{}", std::process::id())));
    for path in [folder.work(), folder.temporary(), folder.root()] {
        fs::create_dir_all(path)?;
    }
    let task = Task {
        job: "probe".to_owned(),
        folder: folder.path().to_owned(),
        arguments: settings.carrier.arguments.clone(),
        cpus: Vec::new(),
        gpus: Vec::new(),
        request: Request { nodes: 1, cores: 1, memory_mb: 16, gpus: 0, time_limit_seconds: 1 },
        network: Network::Denied,
        environment: BTreeMap::new(),
        begins_in: None,
        output_names: (None, None),
        readable: settings.readable.clone(),
        grace_seconds: 0,
        processes_max: settings.processes_max,
        file_bytes_max: settings.file_bytes_max,
        isolation: Isolation::NONE,
    };
    let found = Isolation::probe(settings.carrier.command(), &task);
    fs::remove_dir_all(folder.path())?;
    match settings.control_groups {
        ControlGroups::WherePossible => found.map(Isolation::with_groups),
        ControlGroups::Never => found,
    }
}
