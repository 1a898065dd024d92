use super::*;
use expect_test::{Expect, expect};
use proptest::prelude::*;
use std::process::Command;

const DESCRIPTION: &str = r#"
name = "greet"
version = "1"
title = { en = "Greet", fr = "Saluer" }
description = { en = "Says hello.", fr = "Dit bonjour." }

[[parameter]]
name = "whom"
kind = "text"
label = { en = "Whom", fr = "Qui" }
length_max = 40

[[parameter]]
name = "how-often"
kind = "integer"
label = { en = "How often", fr = "Combien de fois" }
unit = "times"
min = 1
max = 9
default = 1

[[parameter]]
name = "tone"
kind = "choice"
label = { en = "Tone", fr = "Ton" }
choices = ["warm", "cold"]
default = "warm"

[[parameter]]
name = "book"
kind = "repository"
label = { en = "Phrase book", fr = "Guide" }
holds = "dataset"

[[output]]
name = "letter"
path = "outputs/letter"
holds = "dataset"
"#;

const SCRIPT: &str = "#!/bin/sh\n#SBATCH --time=5\n\n# says hello\nprintf '%s' \"$PARAM_WHOM\"\n";
const BOOK: &str = "018f2a6e-7c2b-7d1e-9a51-0b7c2f6f9a10";

fn template() -> Template {
    Template::parse(DESCRIPTION, SCRIPT.as_bytes()).unwrap()
}

fn values(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn check_refused(pairs: &[(&str, &str)], expected: Expect) {
    let wrong = template().render(&values(pairs)).unwrap_err();
    let shown: String = wrong.iter().map(|wrong| format!("{wrong}\n")).collect();
    expected.assert_eq(&shown);
}

#[test]
fn values_stand_between_the_directives_and_the_first_command() {
    let rendered = template().render(&values(&[("whom", "it's $HOME"), ("book", BOOK)])).unwrap();
    expect![[r##"
        #!/bin/sh
        #SBATCH --time=5

        # says hello
        export PARAM_WHOM='it'\''s $HOME'
        export PARAM_HOW_OFTEN='1'
        export PARAM_TONE='warm'
        printf '%s' "$PARAM_WHOM"
    "##]]
    .assert_eq(&rendered.script);
    let input = rendered.inputs.get(&"book".parse().unwrap()).unwrap();
    assert_eq!(input.to_string(), BOOK);
    assert_eq!(input.revision, None);
    let again = Script::parse(rendered.script.as_bytes(), &[]).unwrap();
    assert_eq!(again.directives(), template().script.directives());
}

#[test]
fn numbers_reach_the_script_as_every_shell_reads_them() {
    let given = values(&[("whom", "x"), ("how-often", "+008"), ("book", BOOK)]);
    let rendered = template().render(&given).unwrap();
    assert!(rendered.script.contains("export PARAM_HOW_OFTEN='8'\n"));
}

#[test]
fn wrong_values_are_all_named() {
    let long = "x".repeat(41);
    check_refused(
        &[("whom", &long), ("how-often", "10"), ("tone", "Warm"), ("book", "x"), ("size", "1")],
        expect![[r#"
            `size`: greet has no such parameter; it has: whom, how-often, tone, book
            `whom`: write at most 40 characters
            `how-often`: write a whole number from 1 to 9 times
            `tone`: choose one of warm, cold
            `book`: name a dataset as IDENTIFIER or IDENTIFIER@REVISION
        "#]],
    );
    check_refused(
        &[("how-often", "1.5")],
        expect![[r#"
            `whom`: a value is needed
            `how-often`: write a whole number from 1 to 9 times
            `book`: a value is needed
        "#]],
    );
}

#[test]
fn a_service_that_contradicts_itself_is_refused() {
    let error = |from: &str, to: &str| {
        let description = DESCRIPTION.replacen(from, to, 1);
        Template::parse(&description, SCRIPT.as_bytes()).unwrap_err().to_string()
    };
    expect!["service.toml: parameter `whom` stands twice"]
        .assert_eq(&error("name = \"tone\"", "name = \"whom\""));
    expect![
        "service.toml: the default of `how-often` is wrong: write a whole number from 1 to 9 times"
    ]
    .assert_eq(&error("default = 1", "default = 0"));
    expect!["service.toml: output `letter`: `outputs/../..` is not a folder below the job's own"]
        .assert_eq(&error("outputs/letter", "outputs/../.."));
    assert!(error("length_max = 40", "length = 40").contains("unknown field `length`"));
    let array = SCRIPT.replace("--time=5", "--array=0-3");
    let error = Template::parse(DESCRIPTION, array.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("nor is an array"));
    assert!(matches!(Template::parse(DESCRIPTION, b"echo"), Err(TemplateError::Script(_))));
}

#[test]
fn every_service_of_the_catalogue_can_be_read() {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../services");
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let folder = entry.unwrap().path();
        let description = std::fs::read_to_string(folder.join("service.toml")).unwrap();
        let script = std::fs::read(folder.join("run.sh")).unwrap();
        let template = Template::parse(&description, &script).unwrap();
        assert_eq!(folder.file_name().unwrap().to_str(), Some(template.name.as_str()));
        for parameter in &template.parameters {
            let used = template.script.text().contains(&parameter.variable())
                || template.script.text().contains(&format!("inputs/{}", parameter.name));
            assert!(used, "{}: {} is asked for and not used", template.name, parameter.name);
        }
        for output in &template.outputs {
            assert!(template.script.text().contains(&output.path), "{} is never made", output.path);
        }
        names.push(template.name.to_string());
    }
    names.sort();
    assert_eq!(names, ["generate-text", "train-lm"]);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]
    #[test]
    fn a_shell_reads_every_value_as_it_was_given(whom in "([^\\x00\\r]|['\"$`\\\\\n;&|]){0,40}") {
        let rendered = template().render(&values(&[("whom", &whom), ("book", BOOK)])).unwrap();
        let output = Command::new("sh").arg("-c").arg(&rendered.script).output().unwrap();
        prop_assert_eq!(String::from_utf8(output.stdout).unwrap(), whom);
        prop_assert!(output.stderr.is_empty());
    }

    #[test]
    fn a_repository_reference_survives_printing_and_parsing(revision in proptest::option::of("[a-z0-9@-]{0,12}")) {
        let reference = RepositoryRef { repository: BOOK.parse().unwrap(), revision };
        prop_assert_eq!(reference.to_string().parse(), Ok(reference));
    }
}
