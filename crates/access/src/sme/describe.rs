//! An enterprise and its group, described in TOML as `docs/sme.md` says.
//!
//! Enterprises stand under a key of their own, or inside one another as holders and holdings;
//! both give the same graph. Faults name line and key, those found later by the rules too.

use std::cell::RefCell;
use std::collections::BTreeMap;

use jiff::civil::Date;
use units::{Cents, PartsPerMillion, Slug};

use super::group::{About, Fault};
use super::{AccountingPeriod, Awu, Control, Enterprise, EnterpriseKind, Group, Holding};
use super::{LocalAuthority, Size};
use crate::document::{Diagnostic, Diagnostics, Document, Place, Reader, Table, Value};

/// The deepest nesting of holders within holders.
const DEPTH_MAX: usize = 32;
/// The key of the enterprise that is assessed, where it has no other.
const SELF: &str = "self";

/// What a document says of an enterprise and its group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The group.
    pub group: Group,
    /// The day on which the enterprise was registered.
    pub registered_on: Option<Date>,
    /// The address of its registered office.
    pub address: Option<String>,
    /// Its VAT number or number in the register.
    pub registration: Option<String>,
    /// Who signs the declaration.
    pub signatory: Signatory,
    file: String,
    members_at: BTreeMap<Slug, Found>,
    holdings_at: Vec<Found>,
}

/// Who signs a declaration, as far as it is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signatory {
    /// Name of the signatory, authorised to represent the enterprise.
    pub name: Option<String>,
    /// Their function there.
    pub function: Option<String>,
    /// Where it is signed.
    pub place: Option<String>,
    /// When it is signed.
    pub date: Option<Date>,
}

/// The line and the path of something in the document.
type Found = (Place, String);

impl Description {
    /// Reads `document`.
    ///
    /// # Errors
    /// All its faults, with line and key.
    pub fn read(document: &Document) -> Result<Self, Diagnostics> {
        let described = Reader::read(document, |root| Draft::default().read(root))?;
        let faults = described.group.faults();
        if faults.is_empty() { Ok(described) } else { Err(described.place(&faults)) }
    }

    /// Says where in the document the faults stand that a rule has found.
    pub fn place(&self, faults: &[Fault]) -> Diagnostics {
        let placed = faults.iter().map(|fault| {
            let place = match &fault.about {
                About::Group => None,
                About::Member(key) => self.members_at.get(key),
                About::Holding(index) => self.holdings_at.get(*index),
            };
            let (at, key) = place.cloned().unwrap_or((Place::START, String::new()));
            Diagnostic { file: self.file.clone(), at, key, message: fault.text.clone() }
        });
        let mut placed: Vec<Diagnostic> = placed.collect();
        placed.sort();
        Diagnostics(placed)
    }
}

/// What was read so far.
#[derive(Default)]
struct Draft {
    members: RefCell<BTreeMap<Slug, (Enterprise, Identity, Found)>>,
    holdings: RefCell<Vec<(Holding, Found)>>,
}

/// What is said of an enterprise beside its figures.
#[derive(Clone, Debug, Default)]
struct Identity {
    registered_on: Option<Date>,
    address: Option<String>,
    registration: Option<String>,
}

impl Draft {
    fn read(self, root: &Table<'_>) -> Option<Description> {
        let named: Option<Slug> = root.optional("subject", Value::parsed);
        let own = root.optional("enterprise", |it| it.table(|table| self.member(table, SELF, 0)));
        root.optional("enterprises", |it| self.members(it));
        let _: Vec<()> = root.tables("holdings", |table| self.holding(table));
        let signatory = root.optional("declaration", |it| it.table(|it| Some(signatory(it))));
        let subject = match (own, named) {
            (Some(_), Some(_)) => {
                return root.fault_of("subject", "is said by `enterprise` already; leave one out");
            }
            (own, named) => own.or(named),
        };
        if subject.is_none() && !root.has("enterprise") && !root.has("subject") {
            root.fault_of::<()>(
                "enterprise",
                "is missing: describe the enterprise under [enterprise], or name one of \
                 [enterprises] with `subject`",
            );
        }
        let (subject, file) = (subject?, root.file());
        let (mut members, mut members_at) = (BTreeMap::new(), BTreeMap::new());
        let mut identity = Identity::default();
        for (key, (member, its, place)) in self.members.into_inner() {
            if key == subject {
                identity = its;
            }
            members_at.insert(key.clone(), place);
            members.insert(key, member);
        }
        let (holdings, holdings_at) = self.holdings.into_inner().into_iter().unzip();
        Some(Description {
            group: Group { subject, members, holdings },
            registered_on: identity.registered_on,
            address: identity.address,
            registration: identity.registration,
            signatory: signatory.unwrap_or_default(),
            file,
            members_at,
            holdings_at,
        })
    }

    /// `[enterprises.KEY]`, or `[[enterprises]]` with a `key` each.
    fn members(&self, value: &Value<'_>) -> Option<()> {
        if value.is_list() {
            return value.list(|it| it.table(|it| self.member(it, "", 0))).map(|_| ());
        }
        // Checks the keys; what stands under them is read below, with them.
        value.map::<Slug, ()>(|_| Some(()))?;
        for (key, value) in value.entries() {
            value.table(|it| self.member(it, &key, 0));
        }
        Some(())
    }

    /// One enterprise with all that stands inside of it; the answer is its key, which is `key`
    /// unless it says otherwise, or else is made from its name.
    fn member(&self, table: &Table<'_>, key: &str, depth: usize) -> Option<Slug> {
        if depth > DEPTH_MAX {
            return table.fault(format!("holders stand inside one another over {DEPTH_MAX} deep"));
        }
        let stated: Option<Slug> = table.optional("key", Value::parsed);
        let name = table.required("name", Value::text);
        let kind = table.optional("kind", |it| it.choice(&EnterpriseKind::WORDS));
        let periods = table.tables("periods", period);
        let words = |key| table.optional(key, |it| it.list(Value::text)).unwrap_or_default();
        let keys = |key| table.optional(key, |it| it.list(Value::parsed)).unwrap_or_default();
        let mut member = Enterprise::new(
            name.clone().unwrap_or_default(),
            kind.unwrap_or(EnterpriseKind::Enterprise),
            periods,
        );
        member.markets = words("markets").into_iter().collect();
        member.adjacent_markets = words("adjacent_markets").into_iter().collect();
        member.consolidates = keys("consolidates").into_iter().collect();
        member.acts_with = keys("acts_with").into_iter().collect();
        let annual_budget = table.optional("annual_budget_eur", Value::hundredths).map(Cents::new);
        let inhabitants = table.optional("inhabitants", Value::number);
        member.authority = annual_budget
            .zip(inhabitants)
            .map(|(annual_budget, inhabitants)| LocalAuthority { annual_budget, inhabitants });
        let identity = Identity {
            registered_on: table.optional("registered_on", Value::day),
            address: table.optional("address", Value::text),
            registration: table.optional("registration", Value::text),
        };
        let key = stated.or_else(|| key.parse().ok()).or_else(|| self.key_for(name.as_deref()));
        let Some(key) = key else {
            return name
                .and_then(|_| table.fault("needs a `key` of lower-case letters and digits"));
        };
        let known = self.members.borrow().contains_key(&key);
        if known {
            return table.fault(format!("`{key}` is described already"));
        }
        self.members.borrow_mut().insert(key.clone(), (member, identity, table.place()));
        let ties = |word: &'static str, upwards| {
            let _: Vec<()> = table.tables(word, |it| self.tie(it, (&key, upwards), depth));
        };
        ties("holders", true);
        ties("holdings", false);
        name.map(|_| key)
    }

    /// A holder or a holding that stands inside of `key`.
    fn tie(&self, table: &Table<'_>, (key, upwards): (&Slug, bool), depth: usize) -> Option<()> {
        let terms = terms(table);
        let other = match table.optional("enterprise", Value::parsed) {
            Some(other) => Some(other),
            None if table.has("enterprise") => None,
            None => self.member(table, "", depth.saturating_add(1)),
        }?;
        let (holder, held) = if upwards { (other, key.clone()) } else { (key.clone(), other) };
        self.hold(table, (holder, held), terms?);
        Some(())
    }

    /// One entry of `[[holdings]]`.
    fn holding(&self, table: &Table<'_>) -> Option<()> {
        let holder = table.required("holder", Value::parsed);
        let held = table.required("held", Value::parsed);
        let terms = terms(table);
        self.hold(table, (holder?, held?), terms?);
        Some(())
    }

    fn hold(&self, table: &Table<'_>, (holder, held): (Slug, Slug), terms: Terms) {
        let Terms { capital, voting, control, invested } = terms;
        let holding = Holding { holder, held, capital, voting, control, invested };
        self.holdings.borrow_mut().push((holding, table.place()));
    }

    /// A key that is made from a name and that nobody has yet.
    fn key_for(&self, name: Option<&str>) -> Option<Slug> {
        let plain = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { ' ' };
        let plain: String = name?.chars().map(plain).take(Slug::LENGTH_MAX / 2).collect();
        let slug = plain.split_whitespace().collect::<Vec<_>>().join("-");
        let members = self.members.borrow();
        let numbered = (2..=members.len().saturating_add(2)).map(|at| format!("{slug}-{at}"));
        let mut keys = std::iter::once(slug.clone()).chain(numbered);
        keys.find_map(|key| key.parse().ok().filter(|key| !members.contains_key(key)))
    }
}

/// How much somebody holds, and how.
struct Terms {
    capital: PartsPerMillion,
    voting: PartsPerMillion,
    control: Option<Control>,
    invested: Option<Cents>,
}

/// Reads how much is held; capital and votes are alike where only one is given.
fn terms(table: &Table<'_>) -> Option<Terms> {
    let capital = table.optional("capital", Value::share);
    let voting = table.optional("voting", Value::share);
    let control = table.optional("control", control).flatten();
    let invested = table.optional("invested_eur", Value::hundredths).map(Cents::new);
    let (one, other) = match (capital, voting) {
        (None, None) if !table.has("capital") && !table.has("voting") && control.is_none() => {
            return table.fault("say what part is held: `capital`, `voting`, or both");
        }
        (None, None) => (PartsPerMillion::ZERO, PartsPerMillion::ZERO),
        (capital, voting) => (capital.or(voting)?, voting.or(capital)?),
    };
    Some(Terms { capital: one, voting: other, control, invested })
}

/// One of the ways of control, or just whether there is any.
fn control(value: &Value<'_>) -> Option<Option<Control>> {
    if value.is_boolean() {
        return value.boolean().map(|controls| controls.then_some(Control::Stated));
    }
    value.choice(&Control::WORDS).map(Some)
}

fn period(table: &Table<'_>) -> Option<AccountingPeriod> {
    let closed_on = table.required("closed_on", Value::day);
    let headcount = table.required("headcount_awu", Value::hundredths);
    let turnover = table.required("turnover_eur", Value::hundredths);
    let balance_sheet = table.required("balance_sheet_eur", Value::hundredths);
    let estimated = table.optional("estimated", Value::boolean).unwrap_or(false);
    let headcount = u32::try_from(headcount?).ok();
    let headcount = headcount.or_else(|| table.fault_of("headcount_awu", "is too large"));
    let size = Size {
        headcount: Awu::hundredths(headcount?),
        turnover: Cents::new(turnover?),
        balance_sheet: Cents::new(balance_sheet?),
    };
    Some(AccountingPeriod { closed_on: closed_on?, size, estimated })
}

fn signatory(table: &Table<'_>) -> Signatory {
    Signatory {
        name: table.optional("name", Value::text),
        function: table.optional("function", Value::text),
        place: table.optional("place", Value::text),
        date: table.optional("date", Value::day),
    }
}
