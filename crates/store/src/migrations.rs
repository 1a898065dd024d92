//! The schema, one file a station, forward only.

use sea_orm::{ConnectionTrait, DbErr};
use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager, async_trait};

mod m0001_identity;
mod m0002_access;
mod m0003_ledger;
mod m0004_jobs;
mod m0005_data;
mod m0006_done;
mod m0007_snapshot;
mod m0008_history;
mod m0009_alerts;
mod m0010_more_hours;
mod m0011_agents;
mod m0012_numbers;
mod m0013_usage;
mod m0016_health;
mod m0017_ssh;
mod m0018_tenancy;
mod m0020_aid;
mod m0021_verification;
mod m0023_prefix;
mod m0024_moving;
mod m0025_steps;
mod m0028_decisions;
mod m0029_awards;
mod m0030_reports;
mod m0032_refs;
mod m0036_review;
mod m0037_identities;
mod m0038_devices;
mod m0039_notices;
mod m0040_invitations;
mod m0041_large;
mod m0044_moves;

/// Every migration in order; the database remembers which it has seen.
pub(crate) struct Migrator;

#[async_trait::async_trait]
impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(m0001_identity::Migration),
            Box::new(m0002_access::Migration),
            Box::new(m0003_ledger::Migration),
            Box::new(m0004_jobs::Migration),
            Box::new(m0005_data::Migration),
            Box::new(m0006_done::Migration),
            Box::new(m0007_snapshot::Migration),
            Box::new(m0008_history::Migration),
            Box::new(m0009_alerts::Migration),
            Box::new(m0010_more_hours::Migration),
            Box::new(m0011_agents::Migration),
            Box::new(m0012_numbers::Migration),
            Box::new(m0013_usage::Migration),
            Box::new(m0016_health::Migration),
            Box::new(m0017_ssh::Migration),
            Box::new(m0018_tenancy::Migration),
            Box::new(m0020_aid::Migration),
            Box::new(m0021_verification::Migration),
            Box::new(m0023_prefix::Migration),
            Box::new(m0024_moving::Migration),
            Box::new(m0025_steps::Migration),
            Box::new(m0028_decisions::Migration),
            Box::new(m0029_awards::Migration),
            Box::new(m0030_reports::Migration),
            Box::new(m0032_refs::Migration),
            Box::new(m0036_review::Migration),
            Box::new(m0037_identities::Migration),
            Box::new(m0038_devices::Migration),
            Box::new(m0039_notices::Migration),
            Box::new(m0040_invitations::Migration),
            Box::new(m0041_large::Migration),
            Box::new(m0044_moves::Migration),
        ]
    }
}

/// Runs statements of portable DDL in turn.
async fn apply(manager: &SchemaManager<'_>, statements: &[&str]) -> Result<(), DbErr> {
    let connection = manager.get_connection();
    for statement in statements {
        connection.execute_unprepared(statement).await?;
    }
    Ok(())
}
