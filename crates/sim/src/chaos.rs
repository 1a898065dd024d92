//! What goes wrong, and when: the seed decides.

use std::time::Duration;

use engine::slurm::modelled::{self, Dice};
use tokio::time::sleep;

use crate::hub::{Blow, Hub};
use crate::network::{Faults, Link};
use crate::site::Site;
use crate::trace::Trace;

/// The longest pause between two misfortunes.
const PAUSE_MILLISECONDS: u64 = 40_000;
/// How often it is looked whether the hub is still there.
const LOOK: Duration = Duration::from_secs(1);

/// Brings misfortune over everybody of a run.
pub(crate) struct Chaos {
    pub(crate) hub: Hub,
    pub(crate) sites: Vec<Site>,
    pub(crate) people: Link,
    pub(crate) dice: Dice,
    pub(crate) trace: Trace,
}

impl Chaos {
    /// For ever.
    pub(crate) async fn rage(mut self) {
        loop {
            sleep(self.dice.up_to(PAUSE_MILLISECONDS)).await;
            self.strike();
        }
    }

    fn strike(&mut self) {
        let chosen = self.dice.below(u64::try_from(self.sites.len()).unwrap_or_default());
        let chosen = usize::try_from(chosen).unwrap_or_default();
        let Some(site) = self.sites.get(chosen).cloned() else { return };
        match self.dice.below(13) {
            0 => self.hub.kill(),
            1 | 2 => self.blow(Blow::Death),
            3 | 4 => self.blow(Blow::Cut),
            5 => site.kill_agent(),
            6 | 7 => site.disk.dies_within(60),
            8 => self.down(&site, Part::Controller),
            9 => self.down(&site, Part::Accounting),
            10 => site.cluster.fail_node(),
            11 => self.weather(&site),
            _ => self.cut(&site),
        }
        site.tell_news();
    }

    fn blow(&mut self, blow: Blow) {
        let statements = self.dice.below(400);
        self.hub.blow_within(blow, statements);
    }

    /// Stops a daemon of the cluster for a while.
    fn down(&mut self, site: &Site, part: Part) {
        // Longer than a question may be on its way.
        const SHORTEST: Duration = Duration::from_secs(15);
        let length = SHORTEST + self.dice.up_to(part.milliseconds_max());
        part.stop(site);
        let site = site.clone();
        tokio::spawn(async move {
            sleep(length).await;
            part.start(&site);
            site.tell_news();
        });
    }

    /// Changes how bad the lines are.
    fn weather(&mut self, site: &Site) {
        let mut chances = |most: u64| u32::try_from(self.dice.below(most)).unwrap_or_default();
        site.link.set_faults(Faults {
            lost_there: chances(60),
            lost_back: chances(60),
            doubled: chances(60),
            slow: chances(30),
            cut: false,
        });
        self.people.set_faults(Faults {
            lost_there: chances(60),
            lost_back: chances(60),
            doubled: chances(60),
            slow: chances(30),
            cut: false,
        });
        site.cluster.set_faults(modelled::Faults {
            lost_there: chances(40),
            lost_back: chances(40),
            late: chances(40),
            slow: chances(20),
        });
        self.trace.tell("chaos", format!("the weather changes at {}", site.name));
    }

    /// Cuts a site off for a while.
    fn cut(&mut self, site: &Site) {
        const LONGEST_MILLISECONDS: u64 = 300_000;
        let length = self.dice.up_to(LONGEST_MILLISECONDS);
        site.link.set_faults(Faults { cut: true, ..Faults::default() });
        self.trace.tell("chaos", format!("{} is cut off", site.name));
        let (site, trace) = (site.clone(), self.trace.clone());
        tokio::spawn(async move {
            sleep(length).await;
            site.link.set_faults(Faults::default());
            trace.tell("chaos", format!("{} is reached again", site.name));
        });
    }
}

/// A daemon of a cluster.
#[derive(Clone, Copy)]
enum Part {
    Controller,
    Accounting,
}

impl Part {
    const fn milliseconds_max(self) -> u64 {
        match self {
            Self::Controller => 90_000,
            Self::Accounting => 400_000,
        }
    }

    fn stop(self, site: &Site) {
        match self {
            Self::Controller => site.cluster.crash_controller(),
            Self::Accounting => site.cluster.set_accounting(false),
        }
    }

    fn start(self, site: &Site) {
        match self {
            Self::Controller => site.cluster.start_controller(),
            Self::Accounting => site.cluster.set_accounting(true),
        }
    }
}

/// Starts the hub again whenever it died, for ever.
pub(crate) async fn watch_over(hub: Hub, mut dice: Dice, trace: Trace) {
    loop {
        if !hub.is_up() {
            sleep(dice.up_to(60_000)).await;
            if let Err(error) = hub.revive() {
                trace.object(format!("the hub does not start again: {error}"));
                return;
            }
        }
        sleep(LOOK).await;
    }
}

/// Ends all misfortune.
pub(crate) fn calm(hub: &Hub, sites: &[Site], people: &Link, trace: &Trace) {
    trace.tell("chaos", "nothing goes wrong any more");
    hub.spare();
    people.set_faults(Faults::default());
    for site in sites {
        site.link.set_faults(Faults::default());
        site.cluster.set_faults(modelled::Faults::default());
        site.cluster.start_controller();
        site.cluster.set_accounting(true);
        site.tell_news();
    }
}
