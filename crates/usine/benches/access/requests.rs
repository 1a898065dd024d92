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
    own_organisation: Vec<String>,
    own_applications: Vec<String>,
    own_projects: Vec<String>,
}

/// Requests as they are put together.
struct List<'a> {
    people: &'a People,
    all: Vec<Request>,
}

impl List<'_> {
    /// Asks as `who` for each of `paths` in turn.
    fn ask(&mut self, name: &'static str, who: Who, paths: Vec<String>) {
        assert!(!paths.is_empty(), "{name} asks for nothing");
        self.all.push(Request { name, token: self.people.token(who), paths });
    }

    /// Asks as `who` for one path.
    fn one(&mut self, name: &'static str, who: Who, path: &str) {
        self.ask(name, who, vec![path.to_owned()]);
    }

    /// Asks as `who` for `path` of each of `ids` in turn.
    fn each(&mut self, name: &'static str, who: Who, (path, ids): (&str, &[String])) {
        self.ask(name, who, ids.iter().map(|id| path.replace("{}", id)).collect());
    }
}

/// Everything that is asked.
pub(crate) fn requests(people: &People, town: &Town, cases: &Cases) -> Vec<Request> {
    let things = things(people, town, cases);
    let mut list = List { people, all: Vec::new() };
    list.one("health", Who::Anybody, "/api/v1/health");
    of_calls(&mut list, &things, cases);
    of_organisations(&mut list, &things);
    of_applications(&mut list, &things);
    of_projects(&mut list, &things);
    list.all
}

fn of_calls(list: &mut List<'_>, things: &Things, cases: &Cases) {
    let (judged, open) = (cases.being_reviewed().call, cases.open().id);
    let page = format!("/calls/{open}");
    list.one("home_page", Who::Anybody, "/");
    list.one("calls_page", Who::Anybody, "/calls");
    list.one("call_page", Who::Anybody, &page);
    list.one("call_page_of_applicant", Who::Applicant, &page);
    list.one("call_page_of_officer", Who::Officer, &page);
    list.one("call_review_page", Who::Officer, &format!("/calls/{judged}/review"));
    list.one("reviews_page", Who::Reviewer, "/reviews");
    list.each("review_page", Who::Reviewer, ("/applications/{}/review", &things.judged));
    list.one("calls_json", Who::Anybody, "/api/v1/calls");
    list.one("ranking_json", Who::Officer, &format!("/api/v1/calls/{judged}/ranking"));
    list.one("reviews_json", Who::Reviewer, "/api/v1/reviews");
}

fn of_organisations(list: &mut List<'_>, things: &Things) {
    let (ids, names) = (&things.organisations, &things.names);
    list.one("organisations_page", Who::Officer, "/organisations");
    list.each("organisations_search", Who::Officer, ("/organisations?name={}", names));
    list.one("organisations_page_of_operator", Who::Operator, "/organisations");
    list.one("organisations_page_of_applicant", Who::Applicant, "/organisations");
    list.each("organisation_page", Who::Officer, ("/organisations/{}", ids));
    let own = &things.own_organisation;
    list.each("organisation_page_of_applicant", Who::Applicant, ("/organisations/{}", own));
    list.each("aid_page", Who::Officer, ("/organisations/{}/aid", ids));
    list.one("organisations_json", Who::Officer, "/api/v1/organisations");
    let search = ("/api/v1/organisations?name={}", names.as_slice());
    list.each("organisations_search_json", Who::Officer, search);
    list.each("organisation_json", Who::Officer, ("/api/v1/organisations/{}", ids));
}

fn of_applications(list: &mut List<'_>, things: &Things) {
    let (ids, own, cases) = (&things.applications, &things.own_applications, &things.submitted);
    list.one("applications_page", Who::Officer, "/applications");
    list.one("applications_page_of_operator", Who::Operator, "/applications");
    list.one("applications_page_of_applicant", Who::Applicant, "/applications");
    list.each("application_page", Who::Officer, ("/applications/{}", ids));
    list.each("application_page_of_applicant", Who::Applicant, ("/applications/{}", own));
    list.each("case_page", Who::Officer, ("/applications/{}/case", cases));
    list.each("case_page_of_applicant", Who::Applicant, ("/applications/{}/case", own));
    list.one("applications_json", Who::Officer, "/api/v1/applications");
    list.one("applications_json_of_operator", Who::Operator, "/api/v1/applications");
    list.each("application_json", Who::Officer, ("/api/v1/applications/{}", ids));
    let proceedings = ("/api/v1/applications/{}/proceedings", cases.as_slice());
    list.each("proceedings_json", Who::Officer, proceedings);
}

fn of_projects(list: &mut List<'_>, things: &Things) {
    let (ids, own) = (&things.projects, &things.own_projects);
    list.one("projects_page", Who::Officer, "/projects");
    list.one("projects_page_of_applicant", Who::Applicant, "/projects");
    list.each("project_page", Who::Officer, ("/projects/{}", ids));
    list.each("project_page_of_applicant", Who::Applicant, ("/projects/{}", own));
    list.each("statement_page", Who::Applicant, ("/projects/{}/statement", own));
    list.one("projects_json", Who::Officer, "/api/v1/projects");
    list.each("project_json", Who::Officer, ("/api/v1/projects/{}", ids));
    list.each("allocations_json", Who::Officer, ("/api/v1/projects/{}/allocations", ids));
    list.each("statement_json", Who::Applicant, ("/api/v1/projects/{}/statement", own));
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
        own_organisation: vec![people.organisation.to_string()],
        own_applications: own().map(|it| it.id.to_string()).collect(),
        own_projects: own().filter_map(project).collect(),
    }
}
