//! The way to Slurm that a site's configuration names.

use std::sync::Arc;

use jobs::tenancy::{Step, Tree};
use units::Timestamp;

use super::commands::Commands;
use super::commands::steps::Told;
use super::modelled::Modelled;
use super::rest::Rest;
use super::settings::Settings;
use super::transport::{
    About, Accounted, Load, Node, Orders, Queued, SlurmId, Submission, Transport,
};
use crate::Error;
use crate::accounts::{Accounted as Run, Keeper, Span};

/// One of the two ways.
#[derive(Debug)]
pub(super) enum Way {
    Commands(Commands),
    /// With the commands beside it for what it cannot be asked.
    Rest(Box<Rest>, Commands),
    /// To no Slurm at all.
    Modelled(Modelled),
}

impl Way {
    /// By REST where it is configured and speaks a data format of ours, otherwise by commands.
    ///
    /// # Errors
    /// When the daemon that is configured does not answer.
    pub(super) async fn open(settings: &Arc<Settings>) -> Result<Self, Error> {
        let commands = Commands::new(Arc::clone(settings));
        let Some(rest) = settings.rest.clone() else { return Ok(Self::Commands(commands)) };
        match Rest::open(Arc::clone(settings), rest).await? {
            Some(rest) => Ok(Self::Rest(Box::new(rest), commands)),
            None => {
                tracing::warn!("slurmrestd speaks no data format of ours; jobs go by commands");
                Ok(Self::Commands(commands))
            }
        }
    }
}

impl Way {
    /// What everybody's jobs held in a time; `slurmrestd` tells no more of it than the commands.
    ///
    /// # Errors
    /// When the accounting gives no usable answer.
    pub(super) async fn runs(&self, span: Span) -> Result<Vec<Run>, Error> {
        match self {
            Self::Commands(commands) | Self::Rest(_, commands) => commands.runs(span).await,
            Self::Modelled(modelled) => modelled.runs(span).await,
        }
    }

    /// What of Usine's is on the accounting's books. By commands also where there is a `slurmrestd`:
    /// that of 22.05 takes a change of a limit, says that all is well, and changes nothing.
    ///
    /// # Errors
    /// When the accounting gives no usable answer.
    pub(super) async fn tenancy(&self, keeper: &Keeper) -> Result<Tree, Error> {
        match self {
            Self::Commands(commands) | Self::Rest(_, commands) => commands.tenancy(keeper).await,
            Self::Modelled(_) => Ok(Tree::new()),
        }
    }

    /// Carries a step out on them.
    ///
    /// # Errors
    /// When Slurm does not.
    pub(super) async fn keep(&self, keeper: &Keeper, step: &Step) -> Result<(), Error> {
        match self {
            Self::Commands(commands) | Self::Rest(_, commands) => {
                commands.carry_out(keeper, step).await
            }
            Self::Modelled(_) => Ok(()),
        }
    }
}

impl Way {
    /// What the accounting has of the steps of these jobs; by the commands in any case.
    ///
    /// # Errors
    /// When it does not answer.
    pub(super) async fn steps(&self, ids: &[SlurmId]) -> Result<Vec<Told>, Error> {
        match self {
            Self::Commands(commands) | Self::Rest(_, commands) => commands.steps(ids).await,
            Self::Modelled(_) => Ok(Vec::new()),
        }
    }
}

/// Asks whichever way it is.
macro_rules! by_either {
    ($self:ident, $way:ident => $call:expr) => {
        match $self {
            Self::Commands($way) => $call.await,
            Self::Rest($way, _) => $call.await,
            Self::Modelled($way) => $call.await,
        }
    };
}

impl Transport for Way {
    fn shelf(&self) -> Option<&Modelled> {
        match self {
            Self::Commands(_) | Self::Rest(..) => None,
            Self::Modelled(modelled) => Some(modelled),
        }
    }

    async fn about(&self) -> Result<About, Error> {
        let Self::Rest(rest, commands) = self else { return by_either!(self, way => way.about()) };
        match commands.about().await {
            // No command here, so what it would have told has to be trusted.
            Err(Error::Unclear { .. }) => rest.about().await,
            answer => answer,
        }
    }

    async fn submit(&self, submission: Submission<'_>) -> Result<SlurmId, Error> {
        by_either!(self, way => way.submit(submission))
    }

    async fn cancel(&self, user: Option<&str>, ids: &[SlurmId]) -> Result<(), Error> {
        by_either!(self, way => way.cancel(user, ids))
    }

    async fn queue(&self) -> Result<Vec<Queued>, Error> {
        by_either!(self, way => way.queue())
    }

    async fn accounting(&self, ids: &[SlurmId]) -> Result<Vec<Accounted>, Error> {
        by_either!(self, way => way.accounting(ids))
    }

    async fn accounting_of(&self, user: &str, since: Timestamp) -> Result<Vec<Accounted>, Error> {
        by_either!(self, way => way.accounting_of(user, since))
    }

    async fn nodes(&self) -> Result<Vec<Node>, Error> {
        by_either!(self, way => way.nodes())
    }

    async fn orders(&self) -> Result<Orders, Error> {
        by_either!(self, way => way.orders())
    }

    async fn load(&self) -> Result<Vec<Load>, Error> {
        by_either!(self, way => way.load())
    }
}
