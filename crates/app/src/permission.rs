//! The one table of who may do what.

use std::fmt;
use std::str::FromStr;

/// A part somebody plays, within the scope of a grant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Works in a project.
    User,
    /// Leads a project.
    ProjectManager,
    /// Speaks for an organisation.
    OrganisationRepresentative,
    /// Scores applications.
    Reviewer,
    /// Runs the systems of a factory.
    SiteOperator,
    /// Opens calls and decides, for the Joint Undertaking or a state.
    ProgrammeOfficer,
    /// Runs the hub.
    Administrator,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 7] = [
        Self::User,
        Self::ProjectManager,
        Self::OrganisationRepresentative,
        Self::Reviewer,
        Self::SiteOperator,
        Self::ProgrammeOfficer,
        Self::Administrator,
    ];

    /// Its name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::User => "user",
            Self::ProjectManager => "project-manager",
            Self::OrganisationRepresentative => "organisation-representative",
            Self::Reviewer => "reviewer",
            Self::SiteOperator => "site-operator",
            Self::ProgrammeOfficer => "programme-officer",
            Self::Administrator => "administrator",
        }
    }
}

/// The text does not name a role or an ability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{found}` is not one of {allowed}")]
pub struct NotKnown {
    found: String,
    allowed: String,
}

impl FromStr for Role {
    type Err = NotKnown;

    fn from_str(text: &str) -> Result<Self, NotKnown> {
        Self::ALL.into_iter().find(|role| role.name() == text).ok_or_else(|| NotKnown {
            found: text.to_owned(),
            allowed: Self::ALL.map(Self::name).join(", "),
        })
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What an API token may be used for; a browser session may be used for everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Ability {
    /// Look at what the holder may see.
    Read,
    /// Register organisations, apply, manage members.
    Apply,
    /// Submit and cancel jobs.
    Run,
    /// Write datasets and models.
    Data,
    /// Use roles of staff, and manage tokens and grants.
    Administer,
}

impl Ability {
    /// Every ability.
    pub const ALL: [Self; 5] = [Self::Read, Self::Apply, Self::Run, Self::Data, Self::Administer];

    /// Its name on the wire and in the store.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Apply => "apply",
            Self::Run => "run",
            Self::Data => "data",
            Self::Administer => "administer",
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Read => 1,
            Self::Apply => 2,
            Self::Run => 4,
            Self::Data => 8,
            Self::Administer => 16,
        }
    }
}

impl FromStr for Ability {
    type Err = NotKnown;

    fn from_str(text: &str) -> Result<Self, NotKnown> {
        Self::ALL.into_iter().find(|ability| ability.name() == text).ok_or_else(|| NotKnown {
            found: text.to_owned(),
            allowed: Self::ALL.map(Self::name).join(", "),
        })
    }
}

/// A set of abilities.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Abilities(u8);

impl Abilities {
    /// Every ability.
    pub const ALL: Self = Self(0b1_1111);

    /// These abilities.
    pub fn of(abilities: impl IntoIterator<Item = Ability>) -> Self {
        Self(abilities.into_iter().fold(0, |bits, ability| bits | ability.bit()))
    }

    /// Whether `action` is among what these abilities are for.
    pub fn cover(self, action: Action) -> bool {
        action.ability().is_none_or(|ability| self.0 & ability.bit() != 0)
    }

    /// Whether everything in `self` is also in `other`.
    pub const fn within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }

    /// The abilities, in order.
    pub fn iter(self) -> impl Iterator<Item = Ability> {
        Ability::ALL.into_iter().filter(move |ability| self.0 & ability.bit() != 0)
    }
}

impl fmt::Display for Abilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.iter().map(Ability::name).collect();
        f.write_str(&names.join(" "))
    }
}

impl FromStr for Abilities {
    type Err = NotKnown;

    fn from_str(text: &str) -> Result<Self, NotKnown> {
        Ok(Self::of(text.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?))
    }
}

/// To whom an action is open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Anybody, signed in or not.
    Public,
    /// Anybody who has signed in.
    SignedIn,
    /// Agents of sites.
    Site,
    /// Those who hold one of these roles where the thing lies.
    Roles(&'static [Role]),
}

macro_rules! actions {
    ($($(#[$doc:meta])* $name:ident: $phrase:literal, $ability:expr, $audience:expr;)*) => {
        /// Something a use case does; every use case names one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Action {
            $($(#[$doc])* $name,)*
        }

        impl Action {
            /// Every action.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// How it reads after "you may not".
            pub const fn phrase(self) -> &'static str {
                match self { $(Self::$name => $phrase,)* }
            }

            /// What a token must be good for; `None` when any token will do.
            pub const fn ability(self) -> Option<Ability> {
                match self { $(Self::$name => $ability,)* }
            }

            /// To whom it is open.
            pub const fn audience(self) -> Audience {
                match self { $(Self::$name => $audience,)* }
            }
        }
    };
}

use Ability::{Administer, Apply, Data, Read, Run};
use Audience::{Public, Roles, SignedIn, Site};
use Role::{
    Administrator, OrganisationRepresentative, ProgrammeOfficer, ProjectManager, Reviewer,
    SiteOperator, User,
};

/// Members of a project and those who speak for its organisation.
const PROJECT: Audience = Roles(&[User, ProjectManager, OrganisationRepresentative]);
/// The project's people and the staff who answer for it.
const PROJECT_AND_STAFF: Audience = Roles(&[
    User,
    ProjectManager,
    OrganisationRepresentative,
    SiteOperator,
    ProgrammeOfficer,
    Administrator,
]);

actions! {
    /// Look at factories, systems, partitions, pools.
    ViewFederation: "look at the federation", None, Public;
    /// Look at open calls.
    ViewCalls: "look at calls", None, Public;
    /// Look at the catalogue of services.
    ViewServices: "look at services", None, Public;
    /// Make an account.
    Register: "make an account", None, Public;
    /// Look at one's own account.
    ViewSelf: "look at your account", Some(Read), SignedIn;
    /// Make and revoke one's own tokens.
    ManageOwnTokens: "manage your tokens", Some(Administer), SignedIn;
    /// Read one's own notices.
    ReadNotices: "read your notices", Some(Read), SignedIn;
    /// Choose how one is told, and where one's notices are sent.
    ManageNotices: "choose how you are told", Some(Administer), SignedIn;
    /// Take the role that a link of an invitation offers.
    AcceptInvitation: "accept invitations", Some(Apply), SignedIn;
    /// See how letters and webhooks fare.
    ViewPost: "see how letters fare", Some(Read), Roles(&[Administrator]);
    /// Put an organisation on record.
    RegisterOrganisation: "register an organisation", Some(Apply), SignedIn;
    /// See an organisation's record.
    ViewOrganisation: "see this organisation", Some(Read), Roles(&[
        User, OrganisationRepresentative, SiteOperator, ProgrammeOfficer, Administrator]);
    /// Change an organisation's declaration.
    DeclareOrganisation: "declare for this organisation", Some(Apply), Roles(&[
        OrganisationRepresentative]);
    /// Change who belongs to an organisation.
    ManageOrganisation: "manage this organisation's members", Some(Apply), Roles(&[
        OrganisationRepresentative, Administrator]);
    /// Put on record what was verified of an organisation.
    VerifyOrganisation: "verify organisations", Some(Administer), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// Open a call.
    PublishCall: "publish calls", Some(Administer), Roles(&[ProgrammeOfficer, Administrator]);
    /// See what granting all that a call is asked for would mean.
    WeighCall: "weigh what this call is asked for", Some(Read), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// Draft, check, submit, withdraw an application.
    ApplyForHours: "apply for this organisation", Some(Apply), Roles(&[
        OrganisationRepresentative]);
    /// See an application and its decision.
    ViewApplication: "see this application", Some(Read), Roles(&[
        OrganisationRepresentative, SiteOperator, ProgrammeOfficer, Administrator]);
    /// Have a decision recomputed from its record.
    ReplayDecision: "have decisions recomputed", Some(Read), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// Judge the applications that one was asked to judge.
    ReviewApplication: "review applications", Some(Apply), Roles(&[Reviewer]);
    /// Say who judges what under a call, and bring together what they say.
    ArrangeReview: "arrange reviews", Some(Administer), Roles(&[ProgrammeOfficer]);
    /// Say whether the machine can do what is asked.
    CheckTechnically: "check applications technically", Some(Administer), Roles(&[SiteOperator]);
    /// Propose, adopt and publish what becomes of applications.
    DecideApplication: "decide on applications", Some(Administer), Roles(&[ProgrammeOfficer]);
    /// See a project and its allocations.
    ViewProject: "see this project", Some(Read), PROJECT_AND_STAFF;
    /// Hand in the final report of an award.
    HandInReport: "hand in this report", Some(Apply), Roles(&[
        ProjectManager, OrganisationRepresentative]);
    /// See which reports are missing.
    ViewReports: "see which reports are missing", Some(Read), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// Suspend an allocation and resume it.
    SuspendAllocation: "suspend or resume this allocation", Some(Administer), Roles(&[
        SiteOperator, ProgrammeOfficer, Administrator]);
    /// Give an allocation more time or hours, or end it before its time.
    ChangeAllocation: "change this allocation", Some(Administer), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// Change who belongs to a project.
    ManageProject: "manage this project's members", Some(Apply), Roles(&[
        ProjectManager, OrganisationRepresentative, Administrator]);
    /// Read a project's statement.
    ViewStatement: "read this project's statement", Some(Read), PROJECT_AND_STAFF;
    /// See a job and its state.
    ViewJob: "see this job", Some(Read), PROJECT_AND_STAFF;
    /// Read what a job printed.
    ReadJobLog: "read this job's output", Some(Read), PROJECT;
    /// Submit a job.
    SubmitJob: "submit jobs in this project", Some(Run), Roles(&[User, ProjectManager]);
    /// Get a certificate for SSH to a site where one has hours.
    OpenShell: "get or revoke certificates for SSH", Some(Run), SignedIn;
    /// Cancel a job.
    CancelJob: "cancel this job", Some(Run), Roles(&[
        User, ProjectManager, SiteOperator, Administrator]);
    /// Look for data and read what is open to everybody.
    BrowseData: "look for data", Some(Read), SignedIn;
    /// Read datasets and models of a project.
    ReadData: "read this project's data", Some(Read), PROJECT;
    /// Write datasets and models of a project.
    WriteData: "write this project's data", Some(Data), Roles(&[User, ProjectManager]);
    /// Rename, open, close and delete datasets and models of a project.
    ManageData: "manage this project's datasets and models", Some(Data), Roles(&[ProjectManager]);
    /// Read every stored file back.
    VerifyData: "check the stored files", Some(Read), Roles(&[Administrator]);
    /// Read the whole ledger and check it.
    ViewLedger: "read the ledger", Some(Read), Roles(&[ProgrammeOfficer, Administrator]);
    /// Read the register of State aid.
    ViewAidRegister: "read the register of State aid", Some(Read), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// See what becomes of the hours of a factory's pools.
    ViewCapacity: "see what becomes of this factory's hours", Some(Read), Roles(&[
        SiteOperator, ProgrammeOfficer, Administrator]);
    /// Take the history of a factory's load out of the hub.
    ExportHistory: "take this factory's history out", Some(Read), Roles(&[
        SiteOperator, ProgrammeOfficer, Administrator]);
    /// See the sites and their state.
    ViewSites: "see the sites", Some(Read), Roles(&[
        SiteOperator, ProgrammeOfficer, Administrator]);
    /// Admit the agent of a site and send it away.
    ManageSite: "admit or revoke this site's agent", Some(Administer), Roles(&[
        SiteOperator, Administrator]);
    /// Compare what a site's accounting tells with what the ledger charges.
    ViewAccounting: "see this site's accounting", Some(Read), Roles(&[
        SiteOperator, ProgrammeOfficer, Administrator]);
    /// Have a site's accounting told again, and import its past.
    AccountSite: "import this site's accounting", Some(Administer), Roles(&[
        SiteOperator, Administrator]);
    /// Enrol as the agent of a site, and be let in as it: by a code or by a key.
    IntroduceAgent: "enrol an agent", None, Public;
    /// Pull orders and push events of a site.
    ServeSite: "act for a site", None, Site;
    /// Read the audit trail.
    ViewAudit: "read the audit trail", Some(Administer), Roles(&[
        ProgrammeOfficer, Administrator]);
    /// Close somebody's account and open it again.
    CloseAccounts: "close accounts", Some(Administer), Roles(&[Administrator]);
    /// Give and take roles of the federation and of factories.
    GrantRoles: "give roles", Some(Administer), Roles(&[Administrator]);
}

#[cfg(test)]
mod tests;
