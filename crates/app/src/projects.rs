//! Projects, their members and their allocations.

use std::collections::BTreeMap;

use access::allocation::{Allocation, ReportStage, Tranche};
use access::project::Project;
use ledger::Part;
use store::Tx;
use store::allocations::Share;
use units::{AllocationId, Payer, PersonId, ProjectId};

pub use store::projects::Filter;

use crate::organisations::{Member, fits};
use crate::{Action, Actor, App, Error, Grant, Role, Scope};

/// The most projects on one page.
const PAGE_MAX: u32 = 200;

/// An allocation with its balance.
#[derive(Clone, Debug)]
pub struct AllocationView {
    /// The allocation.
    pub allocation: Allocation,
    /// The pools behind it.
    pub shares: Vec<Share>,
    /// What is available, held and used, by payer.
    pub balance: BTreeMap<Payer, Part>,
    /// What is released for this month, where policy releases hours month by month.
    pub released: Option<Tranche>,
    /// Where its final report stands.
    pub report: ReportStage,
}

/// An allocation at a glance.
#[derive(Clone, Debug)]
pub struct Hours {
    /// The allocation.
    pub allocation: Allocation,
    /// What is available, held and used, by payer.
    pub balance: BTreeMap<Payer, Part>,
}

impl App {
    /// The projects that the actor may see and that `filter` lets through, newest first.
    ///
    /// # Errors
    /// When the actor has not signed in.
    pub async fn projects(
        &self,
        actor: &Actor,
        filter: Filter,
        limit: u32,
    ) -> Result<Vec<Project>, Error> {
        let scope = self.visible(actor, Action::ViewProject)?;
        let tx = self.store().read().await?;
        Ok(store::projects::page(&tx, &scope, filter, limit.clamp(1, PAGE_MAX)).await?)
    }

    /// The same, each with its allocations and what is left of them by payer, oldest first.
    ///
    /// # Errors
    /// When the actor has not signed in.
    pub async fn projects_with_hours(
        &self,
        actor: &Actor,
        filter: Filter,
        limit: u32,
    ) -> Result<Vec<(Project, Vec<Hours>)>, Error> {
        let scope = self.visible(actor, Action::ViewProject)?;
        let tx = self.store().read().await?;
        let projects = store::projects::page(&tx, &scope, filter, limit.clamp(1, PAGE_MAX)).await?;
        let ids: Vec<ProjectId> = projects.iter().map(|project| project.id).collect();
        let allocations = store::allocations::of_projects(&tx, &ids).await?;
        let ids: Vec<AllocationId> = allocations.iter().map(|it| it.id).collect();
        let standings = store::ledger::balances_of(&tx, &ids).await?;
        let mut balances: BTreeMap<AllocationId, BTreeMap<Payer, Part>> =
            standings.iter().map(|it| (it.allocation(), it.parts().clone())).collect();
        let mut hours = BTreeMap::<_, Vec<Hours>>::new();
        for allocation in allocations {
            let balance = balances.remove(&allocation.id).unwrap_or_default();
            hours.entry(allocation.project).or_default().push(Hours { allocation, balance });
        }
        let with = |project: Project| {
            let hours = hours.remove(&project.id).unwrap_or_default();
            (project, hours)
        };
        Ok(projects.into_iter().map(with).collect())
    }

    /// One project.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn project(&self, actor: &Actor, id: ProjectId) -> Result<Project, Error> {
        let tx = self.store().read().await?;
        self.project_for(&tx, actor, (Action::ViewProject, id)).await
    }

    /// The members of a project, oldest first.
    ///
    /// # Errors
    /// When there is no project that the actor may see.
    pub async fn project_members(
        &self,
        actor: &Actor,
        id: ProjectId,
    ) -> Result<Vec<Member>, Error> {
        let tx = self.store().read().await?;
        self.project_for(&tx, actor, (Action::ViewProject, id)).await?;
        self.members_in(&tx, &Scope::Project(id)).await
    }

    /// Makes the person with this address a member of a project.
    ///
    /// # Errors
    /// When the actor may not, or the role or the person does not fit.
    pub async fn add_project_member(
        &self,
        actor: &Actor,
        id: ProjectId,
        (email, role): (&str, Role),
    ) -> Result<Member, Error> {
        let tx = self.store().write().await?;
        self.project_for(&tx, actor, (Action::ManageProject, id)).await?;
        fits(role, &[Role::ProjectManager, Role::User])?;
        let member = self.enrol(&tx, actor, email, (role, Scope::Project(id))).await?;
        tx.commit().await?;
        Ok(member)
    }

    /// Takes a person's roles in a project away. A project keeps at least one manager.
    ///
    /// # Errors
    /// When the actor may not, the person is no member, or is the last manager.
    pub async fn remove_project_member(
        &self,
        actor: &Actor,
        id: ProjectId,
        person: PersonId,
    ) -> Result<(), Error> {
        let tx = self.store().write().await?;
        self.project_for(&tx, actor, (Action::ManageProject, id)).await?;
        let scope = Scope::Project(id);
        let members = self.members_in(&tx, &scope).await?;
        let roles: Vec<Role> =
            members.iter().filter(|it| it.person == person).map(|it| it.role).collect();
        if roles.is_empty() {
            return Err(Error::NotFound("member"));
        }
        let other_manager = |it: &Member| it.person != person && it.role == Role::ProjectManager;
        if roles.contains(&Role::ProjectManager) && !members.iter().any(other_manager) {
            let text = "this is the last manager; give the role to somebody else first";
            return Err(Error::refused("project.manager", text));
        }
        for role in roles {
            self.withdraw(&tx, actor, person, &Grant { role, scope: scope.clone() }).await?;
        }
        Ok(tx.commit().await?)
    }

    /// The allocations of a project with their balances, oldest first.
    ///
    /// # Errors
    /// When there is no project that the actor may see.
    pub async fn project_allocations(
        &self,
        actor: &Actor,
        id: ProjectId,
    ) -> Result<Vec<AllocationView>, Error> {
        let tx = self.store().read().await?;
        self.project_for(&tx, actor, (Action::ViewProject, id)).await?;
        let mut views = Vec::new();
        for allocation in store::allocations::of_project(&tx, id).await? {
            views.push(self.allocation_view(&tx, allocation).await?);
        }
        Ok(views)
    }

    /// One allocation with its balance.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn allocation(
        &self,
        actor: &Actor,
        id: AllocationId,
    ) -> Result<AllocationView, Error> {
        let tx = self.store().read().await?;
        let found = store::allocations::by_id(&tx, id).await?;
        let scopes = match &found {
            Some(allocation) => self.project_scopes(&tx, allocation.project).await?,
            None => Vec::new(),
        };
        actor.may_with(Action::ViewProject, Action::ViewProject, "allocation", &scopes)?;
        let allocation = found.ok_or(Error::NotFound("allocation"))?;
        self.allocation_view(&tx, allocation).await
    }

    /// The project, if the actor may do `action` there.
    pub(crate) async fn project_for(
        &self,
        tx: &Tx,
        actor: &Actor,
        (action, id): (Action, ProjectId),
    ) -> Result<Project, Error> {
        let scopes = self.project_scopes(tx, id).await?;
        actor.may_with(action, Action::ViewProject, "project", &scopes)?;
        store::projects::by_id(tx, id).await?.ok_or(Error::NotFound("project"))
    }

    /// Where a project lies: itself, its organisation, and the factories it has hours on. None
    /// for a project that does not exist, so that only those who see everything learn of that.
    pub(crate) async fn project_scopes(&self, tx: &Tx, id: ProjectId) -> Result<Vec<Scope>, Error> {
        let Some(project) = store::projects::by_id(tx, id).await? else {
            return Ok(Vec::new());
        };
        let mut scopes = vec![Scope::Project(id), Scope::Organisation(project.organisation)];
        for partition in store::allocations::partitions_of(tx, id).await? {
            let factory = self.rules().scope_of(&partition);
            scopes.extend(factory.filter(|factory| !scopes.contains(factory)));
        }
        Ok(scopes)
    }

    async fn allocation_view(
        &self,
        tx: &Tx,
        allocation: Allocation,
    ) -> Result<AllocationView, Error> {
        let shares = store::allocations::shares(tx, allocation.id).await?;
        let standing = store::ledger::balances(tx, allocation.id).await?;
        let balance = standing.map(|it| it.parts().clone()).unwrap_or_default();
        let released = self.released_of(tx, &allocation).await?.map(|it| it.tranche);
        let report = self.report_stage_of(tx, &allocation).await?;
        Ok(AllocationView { allocation, shares, balance, released, report })
    }
}

#[cfg(test)]
pub(crate) mod tests;
