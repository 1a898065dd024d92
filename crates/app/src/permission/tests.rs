use expect_test::expect_file;

use super::*;

/// The whole table, one line an action, one column a role.
fn matrix() -> String {
    let mut text = String::from("action,token ability,anonymous,signed in,site");
    for role in Role::ALL {
        text.push_str(&format!(",{role}"));
    }
    text.push('\n');
    for action in Action::ALL {
        let ability = action.ability().map_or("any", Ability::name);
        let open = |yes| if yes { "yes" } else { "" };
        let (public, signed_in, site, roles): (_, _, _, &[Role]) = match action.audience() {
            Audience::Public => (true, true, true, &Role::ALL),
            Audience::SignedIn => (false, true, false, &Role::ALL),
            Audience::Site => (false, false, true, &[]),
            Audience::Roles(roles) => (false, false, false, roles),
        };
        text.push_str(&format!(
            "{action:?},{ability},{},{},{}",
            open(public),
            open(signed_in),
            open(site)
        ));
        for role in Role::ALL {
            text.push_str(&format!(",{}", open(roles.contains(&role))));
        }
        text.push('\n');
    }
    text
}

#[test]
fn the_table_of_permissions_is_the_one_on_record() {
    expect_file!["./matrix.csv"].assert_eq(&matrix());
}

#[test]
fn names_survive_printing_and_parsing() {
    for role in Role::ALL {
        assert_eq!(role.name().parse(), Ok(role));
    }
    for ability in Ability::ALL {
        assert_eq!(ability.name().parse(), Ok(ability));
    }
    let error = "king".parse::<Role>().unwrap_err();
    assert!(error.to_string().contains("project-manager"), "{error}");
}

#[test]
fn a_token_covers_only_what_it_is_for() {
    let reader = Abilities::of([Ability::Read]);
    assert!(reader.cover(Action::ViewJob));
    assert!(reader.cover(Action::ViewFederation));
    assert!(!reader.cover(Action::SubmitJob));
    assert!(!reader.cover(Action::ManageOwnTokens));
    assert!(reader.within(Abilities::ALL));
    assert!(!Abilities::ALL.within(reader));
}
