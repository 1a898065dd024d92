//! The command line of Usine.
//!
//! Not here: logic. Remote commands speak to the HTTP API alone; `up` and `demo` put hub, agent and
//! engine together in one process.

mod agent;
mod command;
mod config;
mod corpus;
mod demo;
mod exit;
mod factory;
mod faults;
mod federation;
mod folders;
mod hub;
mod lm;
mod output;
mod policy;
mod remote;
mod site;
mod slurm;
mod sme;
mod ssh;
mod twin;
mod up;

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory, Parser, Subcommand};

use command::{
    Session, aid, allocation, apply, call, data, decision, estimate, invitation, job, ledger,
    login, model, notice, org, people, project, review, sessions, site as sites, verdict,
};
use output::Audience;
use remote::HubChoice;

/// An AI factory as software: from the hosting agreement to the trained model, with a ledger of
/// every hour by who paid.
#[derive(Parser)]
#[command(name = "usine", version, arg_required_else_help = true, max_term_width = 100)]
#[command(after_help = exit::HELP)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
    #[command(flatten, next_help_heading = "For every command")]
    global: Global,
}

#[derive(clap::Args)]
struct Global {
    /// Print JSON, as the hub's API gives it.
    #[arg(long, global = true)]
    json: bool,
    #[command(flatten)]
    hub: HubChoice,
}

#[derive(Subcommand)]
enum Command {
    /// Start a factory on this machine: hub, agent, local engine, database, folder.
    Up(up::Arguments),
    /// Print a new one-time sign-in link for an account of a factory on this machine.
    Link(up::LinkArguments),
    /// Play the main job once: from an agreement to a trained model, on this machine.
    Demo(demo::DemoArguments),
    /// Sign in to a hub.
    Login(login::LoginArguments),
    /// Sign out: the command line's token stops working.
    Logout,
    /// Accounts and the roles that people hold.
    #[command(subcommand)]
    User(people::UserCommand),
    /// API tokens: scoped, expiring, shown once.
    #[command(subcommand)]
    Token(people::TokenCommand),
    /// Where you are signed in: list, end.
    #[command(subcommand)]
    Session(sessions::SessionCommand),
    /// Invitations: a role offered to an address, taken by whoever opens the link.
    #[command(subcommand)]
    Invitation(invitation::InvitationCommand),
    /// Notices: what happened and concerns you.
    Notices(notice::NoticesArguments),
    /// Webhooks: your notices as signed JSON, sent to an address of yours.
    #[command(subcommand)]
    Webhook(notice::WebhookCommand),
    /// Organisations: on record, declared, assessed.
    #[command(subcommand)]
    Org(org::OrgCommand),
    /// How large an enterprise is, computed from a file, without a hub.
    #[command(subcommand)]
    Sme(sme::SmeCommand),
    /// The policy: check its files, compare two of them.
    #[command(subcommand)]
    Policy(policy::PolicyCommand),
    /// State aid: what undertakings were granted, and the register.
    #[command(subcommand)]
    Aid(aid::AidCommand),
    /// Calls: invitations to apply.
    #[command(subcommand)]
    Call(call::CallCommand),
    /// How many hours work on a model takes: a first guess, with its calculation.
    Estimate(estimate::EstimateCommand),
    /// Applications: draft, check, submit, withdraw.
    #[command(subcommand)]
    Apply(apply::ApplyCommand),
    /// Decisions: recomputed from their records.
    #[command(subcommand)]
    Decision(decision::DecisionCommand),
    /// Reviews: reviewers, who judges what, what it comes to.
    #[command(subcommand)]
    Review(review::ReviewCommand),
    /// Verdicts on applications: propose, adopt, publish, appeal.
    #[command(subcommand)]
    Verdict(verdict::VerdictCommand),
    /// Projects: people, allocations, and what is left.
    #[command(subcommand)]
    Project(project::ProjectCommand),
    /// Allocations: suspend, resume, terminate, extend, supplement, report.
    #[command(subcommand)]
    Allocation(allocation::AllocationCommand),
    /// Jobs: submit, list, show, log, cancel, watch.
    #[command(subcommand)]
    Job(job::JobCommand),
    /// Slurm's sbatch, spoken to the hub: submit a script.
    #[command(disable_help_flag = true)]
    Sbatch(slurm::Words),
    /// Slurm's squeue: jobs that have not ended.
    #[command(disable_help_flag = true)]
    Squeue(slurm::Words),
    /// Slurm's scancel: ask for the end of jobs.
    #[command(disable_help_flag = true)]
    Scancel(slurm::Words),
    /// Slurm's sacct: jobs and what became of them.
    #[command(disable_help_flag = true)]
    Sacct(slurm::Words),
    /// Slurm's sinfo: partitions and nodes.
    #[command(disable_help_flag = true)]
    Sinfo(slurm::Words),
    /// Slurm's commands under their own names.
    #[command(subcommand)]
    Slurm(slurm::SlurmCommand),
    /// The catalogue of services.
    #[command(subcommand)]
    Service(job::ServiceCommand),
    /// Datasets: send, fetch, list, show, lineage.
    #[command(subcommand)]
    Data(data::DataCommand),
    /// Models: fetch, list, show, lineage, generate.
    #[command(subcommand)]
    Model(model::ModelCommand),
    /// Print a project's statement: held, used, released, by payer.
    Statement(ledger::StatementArguments),
    /// The books of the hub.
    #[command(subcommand)]
    Ledger(ledger::LedgerCommand),
    /// Train a small language model and let it write, without a hub.
    Lm(lm::Args),
    /// Show whether partitions can take work now, and why not.
    Status,
    /// Sites: where jobs run, and the agents that work there.
    #[command(subcommand)]
    Site(sites::SiteCommand),
    /// Log in to a site by SSH, with a certificate that lasts an hour.
    Ssh(ssh::SshArguments),
    /// Work as the agent of a site, enrol it, change its key.
    Agent(agent::AgentArguments),
    /// The federation: check its description, forecast its pools, take a history out.
    #[command(subcommand)]
    Federation(federation::FederationCommand),
    /// The digital twin: replay logs, fit populations, compare scenarios, foretell a Slurm.
    Twin(twin::Arguments),
    /// Print the effective configuration and where each part of it is read from.
    Config(config::ConfigFile),
    /// Print the OpenAPI document of this version's HTTP API.
    Openapi,
    /// Print a completion script for a shell.
    Completions {
        /// Which shell.
        shell: clap_complete::Shell,
    },
}

fn main() -> ExitCode {
    // The processes around a job begin here, before anything else of the program does.
    let mut words = std::env::args();
    let program = words.next().as_deref().and_then(slurm::Program::called);
    if let Some(program) = program {
        return slurm::by_name(program, words.collect());
    }
    if words.next().as_deref() == Some(site::CARRY) {
        return engine::carry::main(&words.collect::<Vec<_>>());
    }
    let arguments = Arguments::parse();
    let audience = if arguments.global.json { Audience::Programs } else { Audience::People };
    let session = Session { hub: arguments.global.hub, audience };
    match &arguments.command {
        Command::Sbatch(words) => slurm::run(slurm::Program::Sbatch, words, &session),
        Command::Squeue(words) => slurm::run(slurm::Program::Squeue, words, &session),
        Command::Scancel(words) => slurm::run(slurm::Program::Scancel, words, &session),
        Command::Sacct(words) => slurm::run(slurm::Program::Sacct, words, &session),
        Command::Sinfo(words) => slurm::run(slurm::Program::Sinfo, words, &session),
        _ => exit::report(run(arguments.command, &session)),
    }
}

fn run(command: Command, session: &Session) -> anyhow::Result<()> {
    match command {
        Command::Up(arguments) => up::run(arguments),
        Command::Link(arguments) => up::link(arguments),
        Command::Demo(arguments) => demo::run(arguments),
        Command::Login(arguments) => login::login(&arguments, session),
        Command::Logout => login::logout(session),
        Command::User(command) => people::user(&command, session),
        Command::Token(command) => people::token(&command, session),
        Command::Session(command) => sessions::session(&command, session),
        Command::Invitation(command) => invitation::invitation(&command, session),
        Command::Notices(arguments) => notice::notices(&arguments, session),
        Command::Webhook(command) => notice::webhook(&command, session),
        Command::Org(command) => org::org(&command, session),
        Command::Sme(command) => sme::run(&command, session.audience),
        Command::Policy(command) => policy::run(&command, session.audience),
        Command::Aid(command) => aid::aid(&command, session),
        Command::Call(command) => call::call(&command, session),
        Command::Estimate(command) => estimate::estimate(&command, session),
        Command::Apply(command) => apply::apply(&command, session),
        Command::Decision(command) => decision::decision(&command, session),
        Command::Review(command) => review::review(&command, session),
        Command::Verdict(command) => verdict::verdict(&command, session),
        Command::Project(command) => project::project(&command, session),
        Command::Allocation(command) => allocation::allocation(&command, session),
        Command::Job(command) => job::job(&command, session),
        Command::Slurm(command) => slurm::slurm(&command),
        // Their exit codes are Slurm's, so they never come here.
        Command::Sbatch(_)
        | Command::Squeue(_)
        | Command::Scancel(_)
        | Command::Sacct(_)
        | Command::Sinfo(_) => Ok(()),
        Command::Service(command) => job::service(&command, session),
        Command::Model(command) => model::model(&command, session),
        Command::Statement(arguments) => ledger::statement(&arguments, session),
        Command::Ledger(command) => ledger::ledger(&command, session),
        Command::Data(command) => data::data(&command, session),
        Command::Lm(arguments) => lm::run(arguments, session.audience),
        Command::Status => sites::status(session),
        Command::Site(command) => sites::site(&command, session),
        Command::Ssh(arguments) => ssh::run(&arguments, session),
        Command::Agent(arguments) => agent::run(arguments, &session.hub),
        Command::Federation(command) => federation::run(&command, session),
        Command::Twin(arguments) => twin::run(arguments, session.audience),
        Command::Config(arguments) => config::print(&arguments),
        Command::Openapi => {
            println!("{}", serde_json::to_string_pretty(&web::api::document())?);
            Ok(())
        }
        Command::Completions { shell } => {
            let mut command = Arguments::command();
            clap_complete::generate(shell, &mut command, "usine", &mut std::io::stdout());
            Ok(())
        }
    }
}

/// Log lines on standard error, chosen by `USINE_LOG`; what the command thinks worth knowing when
/// nobody chose.
fn logging(default: &str) {
    let filter = tracing_subscriber::EnvFilter::try_from_env("USINE_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(default));
    // A second initialisation, in tests, changes nothing.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr)
        .try_init();
}
