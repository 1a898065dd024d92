//! The declaration of an enterprise: its own accounts, and the enterprises it is tied to.
//!
//! The form takes three periods and four direct ties, which is what most have. A larger group is
//! declared through the API, and said so.

use std::collections::BTreeMap;

use access::organisation::Organisation;
use access::sme::{
    AccountingPeriod, Awu, Control, Enterprise, EnterpriseKind, Group, Holding, Size,
};
use app::{Action, FieldError, Scope};
use askama::Template;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use jiff::civil::Date;
use units::{Cents, OrganisationId, PartsPerMillion, Slug};

use crate::extract::Path;
use crate::portal::form::Form;
use crate::portal::visit::{Frame, Visit, on_to, page};
use crate::problem::{Kind, Problem};

/// How many periods of its own the form takes.
const PERIODS: usize = 3;
/// How many ties the form takes.
const TIES: usize = 4;

#[derive(Template)]
#[template(path = "declaration.html")]
struct DeclarationPage {
    frame: Frame,
    organisation: Organisation,
    form: Form,
    periods: Vec<usize>,
    ties: Vec<usize>,
    kinds: Vec<&'static str>,
    controls: Vec<&'static str>,
    wrong: Vec<FieldError>,
}

/// `GET /organisations/{id}/declaration`.
pub(crate) async fn show_form(
    visit: Visit,
    Path(id): Path<OrganisationId>,
) -> Result<Response, Problem> {
    render(&visit, id, Form::default(), Vec::new()).await
}

async fn render(
    visit: &Visit,
    id: OrganisationId,
    form: Form,
    wrong: Vec<FieldError>,
) -> Result<Response, Problem> {
    let organisation = visit.app.organisation(&visit.actor, id).await?;
    if !visit.actor.can(Action::DeclareOrganisation, &[Scope::Organisation(id)]) {
        return Err(Problem::new(Kind::Forbidden));
    }
    // The form has no fields for the budget and the inhabitants of a local authority.
    let kinds = EnterpriseKind::WORDS.iter();
    let kinds = kinds.filter(|(_, kind)| *kind != EnterpriseKind::LocalAuthority);
    page(&DeclarationPage {
        frame: visit.frame.clone(),
        organisation,
        form,
        periods: (1..=PERIODS).collect(),
        ties: (1..=TIES).collect(),
        kinds: kinds.map(|(word, _)| *word).collect(),
        controls: Control::WORDS.iter().map(|(word, _)| *word).collect(),
        wrong,
    })
}

/// `POST /organisations/{id}/declaration`.
pub(crate) async fn declare(
    visit: Visit,
    Path(id): Path<OrganisationId>,
    form: Form,
) -> Result<Response, Problem> {
    let organisation = visit.app.organisation(&visit.actor, id).await?;
    let declared = match Reading::new(&form).group(&organisation.name) {
        Ok(group) => visit.app.declare(&visit.actor, id, group).await,
        Err(wrong) => Err(app::Error::Invalid(wrong)),
    };
    match declared {
        Ok(_) => Ok(on_to(&format!("/organisations/{id}#assessment"))),
        Err(app::Error::Invalid(wrong)) => {
            let again = render(&visit, id, form, wrong).await?;
            Ok((StatusCode::UNPROCESSABLE_ENTITY, again).into_response())
        }
        Err(error) => Err(error.into()),
    }
}

/// The form being read, with what was found wrong.
struct Reading<'f> {
    form: &'f Form,
    wrong: Vec<FieldError>,
}

impl<'f> Reading<'f> {
    const fn new(form: &'f Form) -> Self {
        Self { form, wrong: Vec::new() }
    }

    /// The whole declaration.
    fn group(mut self, name: &str) -> Result<Group, Vec<FieldError>> {
        let Ok(subject) = "subject".parse::<Slug>() else { return Err(self.wrong) };
        let periods = (1..=PERIODS).filter_map(|row| self.period(&format!("p{row}"))).collect();
        let own = Enterprise::new(name, EnterpriseKind::Enterprise, periods);
        let mut group =
            Group { subject: subject.clone(), members: BTreeMap::new(), holdings: Vec::new() };
        group.members.insert(subject.clone(), own);
        for row in 1..=TIES {
            let prefix = format!("t{row}");
            let Some((key, enterprise)) = self.tied(&prefix) else { continue };
            let (capital, voting) = self.terms(&prefix);
            let upwards = self.form.text(format!("{prefix}-way")) != "held";
            let (holder, held) = if upwards {
                (key.clone(), subject.clone())
            } else {
                (subject.clone(), key.clone())
            };
            let control = self.form.text(format!("{prefix}-control"));
            let control = Control::WORDS.iter().find(|(word, _)| *word == control);
            let control = control.map(|(_, control)| *control);
            group.holdings.push(Holding { holder, held, capital, voting, control, invested: None });
            group.members.insert(key, enterprise);
        }
        if self.wrong.is_empty() { Ok(group) } else { Err(self.wrong) }
    }

    /// An enterprise tied to the subject, if the row names one.
    fn tied(&mut self, prefix: &str) -> Option<(Slug, Enterprise)> {
        let name = self.form.text(format!("{prefix}-name")).to_owned();
        if name.is_empty() {
            return None;
        }
        let word = self.form.text(format!("{prefix}-kind"));
        let kind = EnterpriseKind::WORDS.iter().find(|(known, _)| *known == word);
        let Some((_, kind)) = kind else {
            self.fault(&format!("{prefix}-kind"), "choose what it is");
            return None;
        };
        let periods = self.period(prefix).into_iter().collect();
        Some((prefix.parse().ok()?, Enterprise::new(name, *kind, periods)))
    }

    /// One accounting period, if the row has a day.
    fn period(&mut self, prefix: &str) -> Option<AccountingPeriod> {
        let field = format!("{prefix}-closed");
        let day = self.form.text(&field);
        if day.is_empty() {
            return None;
        }
        let Ok(closed_on) = day.parse::<Date>() else {
            self.fault(&field, "write the day as 2025-12-31");
            return None;
        };
        let headcount = self.hundredths(&format!("{prefix}-headcount"), "persons, such as 12.5");
        let turnover = self.hundredths(&format!("{prefix}-turnover"), "euros, such as 1250000");
        let balance = self.hundredths(&format!("{prefix}-balance"), "euros, such as 1250000");
        let size = Size {
            headcount: Awu::hundredths(u32::try_from(headcount?).unwrap_or(u32::MAX)),
            turnover: Cents::new(turnover?),
            balance_sheet: Cents::new(balance?),
        };
        let estimated = self.form.text(format!("{prefix}-estimated")) == "yes";
        Some(AccountingPeriod { closed_on, size, estimated })
    }

    /// A number that is not negative, with up to two decimals, in hundredths.
    fn hundredths(&mut self, field: &str, expected: &str) -> Option<i64> {
        let text = self.form.text(field).replace([' ', '\u{a0}', '\u{202f}'], "").replace(',', ".");
        let number = in_hundredths(&text);
        if number.is_none() {
            self.fault(field, &format!("write {expected}"));
        }
        number
    }

    /// The parts of capital and votes; alike where only one is given.
    fn terms(&mut self, prefix: &str) -> (PartsPerMillion, PartsPerMillion) {
        let capital = self.percent(&format!("{prefix}-capital"));
        let voting = self.percent(&format!("{prefix}-voting"));
        let none = PartsPerMillion::ZERO;
        (capital.or(voting).unwrap_or(none), voting.or(capital).unwrap_or(none))
    }

    fn percent(&mut self, field: &str) -> Option<PartsPerMillion> {
        let text = self.form.text(field);
        if text.is_empty() {
            return None;
        }
        let hundredths = self.hundredths(field, "a percentage from 0 to 100").unwrap_or_default();
        if hundredths > 10_000 {
            self.fault(field, "write a percentage from 0 to 100");
        }
        u32::try_from(hundredths.min(10_000) * 100).ok().map(PartsPerMillion::new)
    }

    fn fault(&mut self, field: &str, text: &str) {
        self.wrong.push(FieldError::new(field, text));
    }
}

/// `12.5` as 1250; nothing for anything else than digits with up to two decimals.
pub(crate) fn in_hundredths(text: &str) -> Option<i64> {
    let (whole, rest) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 15 || rest.len() > 2 || !digits(whole) || !digits(rest) {
        return None;
    }
    let rest: i64 = format!("{rest:0<2}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100)?.checked_add(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_read_as_people_write_them() {
        for (text, hundredths) in [("12", 1_200), ("12.5", 1_250), ("0.07", 7)] {
            assert_eq!(in_hundredths(text), Some(hundredths), "{text}");
        }
        for text in ["", ".5", "-1", "1.234", "1e3", "12a", "9999999999999999"] {
            assert_eq!(in_hundredths(text), None, "{text}");
        }
    }

    #[test]
    fn a_tie_without_figures_names_what_is_missing() {
        let form = Form::of(&[
            ("p1-closed", "2025-12-31"),
            ("p1-headcount", "12,5"),
            ("p1-turnover", "1 250 000"),
            ("p1-balance", "900000"),
            ("t1-name", "Parent SA"),
            ("t1-kind", "enterprise"),
            ("t1-capital", "130"),
        ]);
        let wrong = Reading::new(&form).group("Ada SARL").unwrap_err();
        assert_eq!(wrong, [FieldError::new("t1-capital", "write a percentage from 0 to 100")]);
    }
}
