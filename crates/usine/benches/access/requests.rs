//! What is asked: every page that people open on the way from a call to a statement, and the API
//! beside it.

use access::application::State;
use reqwest::{Client, RequestBuilder};

use crate::cases::Cases;
use crate::people::{People, Who, signed};
use crate::town::Town;

/// How many different things of a kind are asked for in turn.
const DIFFERENT: usize = 200;

/// Something that is asked again and again, of one thing after the other.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) name: &'static str,
    token: Option<String>,
    paths: Vec<String>,
}

impl Request {
    pub(crate) fn build(&self, http: &Client, hub: &str, number: usize) -> RequestBuilder {
        let path = &self.paths[number % self.paths.len()];
        signed(http.get(format!("{hub}{path}")), self.token.as_ref())
    }
}

/// Identifiers of what is asked for.
struct Things {
    organisations: Vec<String>,
    names: Vec<String>,
    applications: Vec<String>,
    projects: Vec<String>,
    judged: Vec<String>,
    submitted: Vec<String>,
    own_applications: Vec<String>,
    own_projects: Vec<String>,
}

/// Everything that is asked.
pub(crate) fn requests(people: &People, town: &Town, cases: &Cases) -> Vec<Request> {
    let things = things(people, town, cases);
    let under = |path: &str, ids: &[String]| ids.iter().map(|id| path.replace("{}", id)).collect();
    let (call, open) = (cases.being_reviewed().call, cases.open().id);
    let own = people.organisation;
    let mut all: Vec<Request> = Vec::new();
    let mut ask = |name, who, paths: Vec<String>| {
        assert!(!paths.is_empty(), "{name} asks for nothing");
        all.push(Request { name, token: people.token(who), paths });
    };
    let one = |path: &str| vec![path.to_owned()];
    let Things { organisations, names, applications, projects, .. } = &things;
    ask("health", Who::Anybody, one("/api/v1/health"));
    ask("home_page", Who::Anybody, one("/"));
    ask("calls_page", Who::Anybody, one("/calls"));
    ask("call_page", Who::Anybody, one(&format!("/calls/{open}")));
    ask("call_page_of_applicant", Who::Applicant, one(&format!("/calls/{open}")));
    ask("call_page_of_officer", Who::Officer, one(&format!("/calls/{open}")));
    ask("organisations_page", Who::Officer, one("/organisations"));
    ask("organisations_search", Who::Officer, under("/organisations?name={}", names));
    ask("organisations_page_of_operator", Who::Operator, one("/organisations"));
    ask("organisations_page_of_applicant", Who::Applicant, one("/organisations"));
    ask("organisation_page", Who::Officer, under("/organisations/{}", organisations));
    ask("organisation_page_of_applicant", Who::Applicant, one(&format!("/organisations/{own}")));
    ask("applications_page", Who::Officer, one("/applications"));
    ask("applications_page_of_operator", Who::Operator, one("/applications"));
    ask("applications_page_of_applicant", Who::Applicant, one("/applications"));
    ask("application_page", Who::Officer, under("/applications/{}", applications));
    ask(
        "application_page_of_applicant",
        Who::Applicant,
        under("/applications/{}", &things.own_applications),
    );
    ask("case_page", Who::Officer, under("/applications/{}/case", &things.submitted));
    ask(
        "case_page_of_applicant",
        Who::Applicant,
        under("/applications/{}/case", &things.own_applications),
    );
    ask("call_review_page", Who::Officer, one(&format!("/calls/{call}/review")));
    ask("reviews_page", Who::Reviewer, one("/reviews"));
    ask("review_page", Who::Reviewer, under("/applications/{}/review", &things.judged));
    ask("projects_page", Who::Officer, one("/projects"));
    ask("projects_page_of_applicant", Who::Applicant, one("/projects"));
    ask("project_page", Who::Officer, under("/projects/{}", projects));
    ask("project_page_of_applicant", Who::Applicant, under("/projects/{}", &things.own_projects));
    ask("statement_page", Who::Applicant, under("/projects/{}/statement", &things.own_projects));
    ask("aid_page", Who::Officer, under("/organisations/{}/aid", organisations));
    ask("calls_json", Who::Anybody, one("/api/v1/calls"));
    ask("organisations_json", Who::Officer, one("/api/v1/organisations"));
    ask("organisations_search_json", Who::Officer, under("/api/v1/organisations?name={}", names));
    ask("organisation_json", Who::Officer, under("/api/v1/organisations/{}", organisations));
    ask("applications_json", Who::Officer, one("/api/v1/applications"));
    ask("applications_json_of_operator", Who::Operator, one("/api/v1/applications"));
    ask("application_json", Who::Officer, under("/api/v1/applications/{}", applications));
    ask(
        "proceedings_json",
        Who::Officer,
        under("/api/v1/applications/{}/proceedings", &things.submitted),
    );
    ask("ranking_json", Who::Officer, one(&format!("/api/v1/calls/{call}/ranking")));
    ask("reviews_json", Who::Reviewer, one("/api/v1/reviews"));
    ask("projects_json", Who::Officer, one("/api/v1/projects"));
    ask("project_json", Who::Officer, under("/api/v1/projects/{}", projects));
    ask("allocations_json", Who::Officer, under("/api/v1/projects/{}/allocations", projects));
    ask(
        "statement_json",
        Who::Applicant,
        under("/api/v1/projects/{}/statement", &things.own_projects),
    );
    all
}

fn things(people: &People, town: &Town, cases: &Cases) -> Things {
    let project = |it: &store::applications::Application| match &it.state {
        State::Awarded { project, .. } => Some(project.to_string()),
        _ => None,
    };
    let spread = |count: usize| (count / DIFFERENT).max(1);
    let own = || cases.applications.iter().filter(|it| it.organisation == people.organisation);
    let judged = cases.being_reviewed().call;
    let shown = || cases.applications.iter().filter(|it| it.state != State::Draft);
    let awarded: Vec<String> = cases.applications.iter().filter_map(project).collect();
    let some = || town.organisations.iter().step_by(spread(town.organisations.len()));
    Things {
        organisations: some().map(|it| it.id.to_string()).collect(),
        // The first word of most names is common; their number is not.
        names: some()
            .enumerate()
            .filter_map(|(at, it)| it.name.split(' ').nth(if at % 2 == 0 { 0 } else { 2 }))
            .map(str::to_lowercase)
            .collect(),
        applications: shown()
            .step_by(spread(cases.applications.len()))
            .map(|it| it.id.to_string())
            .collect(),
        projects: awarded.iter().step_by(spread(awarded.len())).cloned().collect(),
        judged: people.to_judge(cases).iter().map(ToString::to_string).collect(),
        submitted: shown()
            .filter(|it| it.call == judged)
            .take(DIFFERENT)
            .map(|it| it.id.to_string())
            .collect(),
        own_applications: own().map(|it| it.id.to_string()).collect(),
        own_projects: own().filter_map(project).collect(),
    }
}
