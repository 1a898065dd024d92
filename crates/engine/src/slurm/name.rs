//! Names that may stand on a command line, and in a path.

use crate::Error;
use crate::job::Place;

/// The longest name of a user: columns of Slurm's commands are asked for in this width.
const LOGIN_LENGTH_MAX: usize = 32;
const NAME_LENGTH_MAX: usize = 80;

/// Refuses names that could be taken for anything else, be it an option, a path or another user's
/// number.
///
/// # Errors
/// [`Error::Refused`], naming the first.
pub(super) fn check(place: &Place) -> Result<(), Error> {
    let kinds = [
        ("login", &place.user, is_login as fn(&str) -> bool),
        ("account", &place.account, is_plain),
        ("quality of service", &place.qos, is_plain),
        ("partition", &place.partition, is_list),
    ];
    for (kind, name, is_fine) in kinds {
        if let Some(name) = name.as_deref().filter(|name| !is_fine(name)) {
            return Err(Error::Refused(format!(
                "`{}` is not the name of a {kind}",
                name.escape_debug()
            )));
        }
    }
    Ok(())
}

/// Letters, digits, `.`, `_` and `-`, of which the first is a letter or `_`.
pub(super) fn is_login(name: &str) -> bool {
    let first = |mark: u8| mark.is_ascii_alphabetic() || mark == b'_';
    name.len() <= LOGIN_LENGTH_MAX && name.bytes().next().is_some_and(first) && is_plain(name)
}

fn is_plain(name: &str) -> bool {
    let fine = |mark: u8| mark.is_ascii_alphanumeric() || b"._-".contains(&mark);
    let begins =
        name.bytes().next().is_some_and(|mark| mark.is_ascii_alphanumeric() || mark == b'_');
    begins && name.len() <= NAME_LENGTH_MAX && name.bytes().all(fine)
}

fn is_list(names: &str) -> bool {
    names.split(',').all(is_plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_could_be_something_else_are_refused() {
        for fine in ["ann", "a.lovelace", "svc_7", "A-b"] {
            assert!(is_login(fine), "{fine}");
        }
        for wrong in ["", "-u", "#0", "0", "1000", "root;id", "a b", "../x", "a/b", "ann\n", "ä"] {
            assert!(!is_login(wrong), "{wrong:?} was accepted");
        }
        assert!(!is_login(&"a".repeat(33)));
        let place = |account: &str| Place { account: Some(account.to_owned()), ..Place::default() };
        assert!(check(&place("2026-physics")).is_ok());
        assert!(check(&place("--uid=root")).is_err());
        let several = Place { partition: Some("gpu,batch".to_owned()), ..Place::default() };
        assert!(check(&several).is_ok());
    }
}
