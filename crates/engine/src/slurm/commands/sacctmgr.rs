//! `sacctmgr`: what of Usine's is on the accounting's books, and how it is changed.
//!
//! Names of other people's accounts stand among what is read, and may hold anything. A row counts
//! only with exactly its columns and a name under the prefix; nothing else of it is used.

use jobs::AccountPrefix;
use jobs::tenancy::{Change, Field, Fields, Object, Owned, Step, Tree, Value};

use super::columns::lines;
use crate::Error;
use crate::accounts::Keeper;
use crate::slurm::process::{Invocation, Output};

const ASSOCIATION: &str = "format=account,user,partition,parentname,fairshare,grptres,grpsubmit,\
                           maxsubmit,defaultqos,qos";
const QUALITY: &str = "format=name,priority,flags,grptresmins,grptres";
/// What stands between columns.
const BAR: char = '|';
/// What Slurm says when a change was made before.
const DONE_BEFORE: [&str; 2] = ["Nothing new added", "Nothing modified"];

pub(super) fn build_associations(keeper: &Keeper) -> Invocation {
    // Without limits that come from above: they are not set here.
    let which = format!("cluster={}", keeper.cluster);
    Invocation::new("sacctmgr", ["-nP", "show", "assoc", "where", &which, "woplimits", ASSOCIATION])
}

pub(super) fn build_qualities() -> Invocation {
    Invocation::new("sacctmgr", ["-nP", "show", "qos", QUALITY])
}

/// What there is under the prefix.
pub(super) fn parse(prefix: &AccountPrefix, associations: &[u8], qualities: &[u8]) -> Tree {
    let associations = rows(associations).filter_map(|row| association(prefix, row));
    associations.chain(rows(qualities).filter_map(|row| quality(prefix, row))).collect()
}

fn association(prefix: &AccountPrefix, row: [&str; 10]) -> Option<(Object, Fields)> {
    let [account, user, partition, parent, share, ceiling, group, each, usual, all] = row;
    // An association for one partition only is somebody's own.
    let account = Owned::claimed(prefix, account).filter(|_| partition.is_empty())?;
    if !user.is_empty() {
        let member = Object::Member(account, user.parse().ok()?);
        return Some((member, fields([(Field::Submit, each)])));
    }
    let quality = if usual == all { all.to_owned() } else { format!("{all} by default {usual}") };
    let known = fields([
        (Field::Parent, parent),
        (Field::Fairshare, share),
        (Field::Ceiling, ceiling),
        (Field::Submit, group),
        (Field::Qos, &quality),
    ]);
    Some((Object::Account(account), known))
}

fn quality(prefix: &AccountPrefix, row: [&str; 5]) -> Option<(Object, Fields)> {
    let [name, priority, flags, budget, ceiling] = row;
    let known = fields([
        (Field::Priority, priority),
        (Field::Flags, flags),
        (Field::Budget, budget),
        (Field::Ceiling, ceiling),
    ]);
    Some((Object::Qos(Owned::claimed(prefix, name)?), known))
}

fn fields<const N: usize>(known: [(Field, &str); N]) -> Fields {
    known.into_iter().map(|(field, text)| (field, Value::new(text))).collect()
}

/// Rows with exactly so many columns.
fn rows<const N: usize>(answer: &[u8]) -> impl Iterator<Item = [&str; N]> {
    lines(answer).filter_map(|line| {
        let columns: Vec<&str> = str::from_utf8(line).ok()?.split(BAR).collect();
        columns.try_into().ok()
    })
}

/// The commands that carry a step out.
pub(super) fn build(keeper: &Keeper, step: &Step) -> Vec<Invocation> {
    let object = &step.object;
    match &step.change {
        Change::Set { field, from, to } => {
            vec![modify(keeper, object, setting(object, *field, (from, to)))]
        }
        Change::Create(fields) => {
            let none = Value::default();
            let set = fields.iter().filter(|(_, to)| !to.is_none());
            let settings = set.flat_map(|(field, to)| setting(object, *field, (&none, to)));
            create(keeper, object, settings.collect())
        }
    }
}

/// Makes an object. What an account is bounded by is set once it is there; a quality of service is
/// nobody's until an account has it, so it may be made whole.
fn create(keeper: &Keeper, object: &Object, settings: Vec<String>) -> Vec<Invocation> {
    let cluster = format!("cluster={}", keeper.cluster);
    let description = "description=usine".to_owned();
    let (kind, made, later) = match object {
        Object::Qos(name) => {
            let made = [vec![name.to_string(), description], settings].concat();
            ("qos", made, Vec::new())
        }
        Object::Account(name) => {
            let (above, later): (Vec<_>, Vec<_>) =
                settings.into_iter().partition(|setting| setting.starts_with(PARENT));
            let own = [name.to_string(), cluster, description, "organization=usine".to_owned()];
            ("account", [own.to_vec(), above].concat(), later)
        }
        Object::Member(account, login) => {
            let made = vec![login.to_string(), format!("account={account}"), cluster];
            ("user", made, settings)
        }
    };
    let mut commands = vec![change("add", kind, made)];
    if !later.is_empty() {
        commands.push(modify(keeper, object, later));
    }
    commands
}

fn modify(keeper: &Keeper, object: &Object, settings: Vec<String>) -> Invocation {
    let cluster = format!("cluster={}", keeper.cluster);
    let (kind, mut words) = match object {
        Object::Qos(name) => ("qos", vec![format!("name={name}")]),
        Object::Account(name) => ("account", vec![format!("name={name}"), cluster]),
        Object::Member(account, login) => {
            ("user", vec![format!("name={login}"), format!("account={account}"), cluster])
        }
    };
    words.insert(0, "where".to_owned());
    words.push("set".to_owned());
    words.extend(settings);
    change("modify", kind, words)
}

const PARENT: &str = "parent=";

fn change(verb: &str, kind: &str, rest: Vec<String>) -> Invocation {
    let words = ["-i", "-Q", verb, kind].map(str::to_owned).into_iter().chain(rest);
    Invocation { keeps_books: true, ..Invocation::new("sacctmgr", words) }
}

/// How a field is set.
fn setting(object: &Object, field: Field, (from, to): (&Value, &Value)) -> Vec<String> {
    let plain = |name: &str| vec![format!("{name}={to}", to = to.as_str())];
    let amounts = |name: &str| vec![format!("{name}={}", amounts(from, to))];
    let count = |name: &str| {
        let bound = if to.is_none() { "-1" } else { to.as_str() };
        vec![format!("{name}={bound}")]
    };
    match (field, object) {
        (Field::Parent, _) => plain("parent"),
        (Field::Fairshare, _) => plain("fairshare"),
        (Field::Ceiling, _) => amounts("grptres"),
        (Field::Submit, Object::Member(..)) => count("maxsubmitjobs"),
        (Field::Submit, Object::Account(_) | Object::Qos(_)) => count("grpsubmitjobs"),
        (Field::Qos, _) => [plain("qos"), plain("defaultqos")].concat(),
        (Field::Priority, _) => plain("priority"),
        (Field::Flags, _) => plain("flags"),
        (Field::Budget, _) => amounts("grptresmins"),
    }
}

/// Amounts as they are to be, with those taken away that are not to be there: Slurm leaves alone
/// what is not named.
fn amounts(from: &Value, to: &Value) -> String {
    let name = |part: &str| part.split_once('=').map_or(part, |(name, _)| name).to_owned();
    let kept: Vec<String> = to.as_str().split(',').map(name).collect();
    let gone = from.as_str().split(',').map(name).filter(|it| !it.is_empty() && !kept.contains(it));
    let gone = gone.map(|name| format!("{name}=-1"));
    let set = to.as_str().split(',').filter(|it| !it.is_empty()).map(str::to_owned);
    set.chain(gone).collect::<Vec<_>>().join(",")
}

/// Whether a change was made, now or before.
pub(super) fn parse_change(output: &Output) -> Result<(), Error> {
    let said = format!("{} {}", String::from_utf8_lossy(&output.stdout), output.complaint());
    if output.status.success() || DONE_BEFORE.iter().any(|it| said.contains(it)) {
        return Ok(());
    }
    Err(Error::Refused(format!("sacctmgr: {}", output.complaint())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// As Slurm 22.05.8 prints them, with accounts of the site's own among them.
    const ASSOCIATIONS: &str = "\
root||||1|||||normal
physics|bada|||1||||normal|normal
usine_all|||root|1|||||normal
usine_c_sme|||usine_all|40|gres/gpu=64||||normal
usine_aa|||usine_c_sme|1||0||usine_aa|usine_aa
usine_aa|bada|||1|||0||
usine_aa|root|||1|||||
usine_aa|bbob|batch||1|||||
usine_ab|||usine_c_sme|parent||||usine_ab|normal,usine_ab
us|ine_x|||root|1|||||normal
usine_Big|||root|1|||||normal
usine_x physics|||root|1|||||normal
";
    const QUALITIES: &str = "normal|0|||\nusine_aa|100|DenyOnLimit,NoDecay|gres/gpu=10|cpu=3\n";

    fn keeper() -> Keeper {
        Keeper { cluster: "alpha".to_owned(), prefix: AccountPrefix::default() }
    }

    fn owned(name: &str) -> Owned {
        Owned::claimed(&AccountPrefix::default(), name).unwrap()
    }

    fn words(step: &Step) -> Vec<String> {
        build(&keeper(), step).iter().map(|it| it.arguments.join(" ")).collect()
    }

    #[test]
    fn only_what_bears_the_prefix_is_read() {
        let tree = parse(&AccountPrefix::default(), ASSOCIATIONS.as_bytes(), QUALITIES.as_bytes());
        let told: Vec<String> = tree.keys().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "qos usine_aa",
                "account usine_aa",
                "account usine_ab",
                "account usine_all",
                "account usine_c_sme",
                "user bada of usine_aa"
            ]
        );
        let of = |object: Object, field| tree[&object][&field].as_str();
        assert_eq!(of(Object::Account(owned("usine_aa")), Field::Submit), "0");
        assert_eq!(of(Object::Account(owned("usine_aa")), Field::Qos), "usine_aa");
        let mixed = of(Object::Account(owned("usine_ab")), Field::Qos);
        assert!(mixed.contains("by default usine_ab"), "{mixed}");
        assert_eq!(of(Object::Qos(owned("usine_aa")), Field::Budget), "gres/gpu=10");
    }

    #[test]
    fn an_account_is_made_before_its_limits_are_set() {
        let fields = fields([
            (Field::Parent, "usine_c_sme"),
            (Field::Submit, ""),
            (Field::Qos, "usine_aa"),
            (Field::Ceiling, "gres/gpu=2"),
        ]);
        let object = Object::Account(owned("usine_aa"));
        let step =
            Step { object, change: Change::Create(fields), why: jobs::tenancy::Why::Missing };
        assert_eq!(
            words(&step),
            [
                "-i -Q add account usine_aa cluster=alpha description=usine organization=usine \
                 parent=usine_c_sme",
                "-i -Q modify account where name=usine_aa cluster=alpha set grptres=gres/gpu=2 \
                 qos=usine_aa defaultqos=usine_aa"
            ]
        );
    }

    #[test]
    fn what_is_not_to_be_bounded_any_more_is_said_by_name() {
        let set = |object, field, from: &str, to: &str| {
            let change = Change::Set { field, from: Value::new(from), to: Value::new(to) };
            words(&Step { object, change, why: jobs::tenancy::Why::Wish })
        };
        assert_eq!(
            set(Object::Qos(owned("usine_aa")), Field::Budget, "gres/gpu=9,cpu=1", "billing=5"),
            ["-i -Q modify qos where name=usine_aa set grptresmins=billing=5,cpu=-1,gres/gpu=-1"]
        );
        let member = Object::Member(owned("usine_aa"), "bada".parse().unwrap());
        assert_eq!(
            set(member, Field::Submit, "0", ""),
            [
                "-i -Q modify user where name=bada account=usine_aa cluster=alpha set maxsubmitjobs=-1"
            ]
        );
    }

    #[test]
    fn making_something_again_does_no_harm() {
        let answer = |code: i32, stdout: &str, stderr: &str| {
            use std::os::unix::process::ExitStatusExt as _;
            let status = std::process::ExitStatus::from_raw(code << 8);
            parse_change(&Output { status, stdout: stdout.into(), stderr: stderr.to_owned() })
        };
        assert!(answer(0, "", "").is_ok());
        assert!(answer(1, " Nothing new added.\n", "").is_ok());
        assert!(answer(1, "", " Problem adding accounts: Access/permission denied").is_err());
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_fail_and_nothing_without_the_prefix_comes_of_it(
            answer in "([a-z_|=,0-9]{0,30}\n){0,9}", other in proptest::collection::vec(any::<u8>(), 0..300),
        ) {
            let prefix = AccountPrefix::default();
            let _ = parse(&prefix, &other, &other);
            for object in parse(&prefix, answer.as_bytes(), answer.as_bytes()).keys() {
                let (Object::Qos(name) | Object::Account(name) | Object::Member(name, _)) = object;
                prop_assert!(name.as_str().starts_with("usine_"));
            }
        }
    }
}
