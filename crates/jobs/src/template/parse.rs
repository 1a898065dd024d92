//! Reading `service.toml`.

use std::collections::BTreeSet;

use serde::Deserialize;
use units::Slug;

use super::{Holds, Kind, Output, Parameter, Template, Texts, render};
use crate::script::{Script, ScriptErrors};

/// A service cannot be offered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// Its description is not in the expected form; the text shows the place.
    #[error("service.toml cannot be read: {0}")]
    Syntax(String),
    /// Its description contradicts itself.
    #[error("service.toml: {0}")]
    Meaning(String),
    /// Its script cannot be submitted.
    #[error("the script cannot be used: {0}")]
    Script(#[from] ScriptErrors),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTemplate {
    name: String,
    version: String,
    title: RawTexts,
    description: RawTexts,
    #[serde(default)]
    parameter: Vec<RawParameter>,
    #[serde(default)]
    output: Vec<RawOutput>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawTexts {
    en: String,
    fr: String,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
enum RawParameter {
    Integer {
        name: String,
        label: RawTexts,
        unit: Option<String>,
        min: i64,
        max: i64,
        default: Option<i64>,
    },
    Text {
        name: String,
        label: RawTexts,
        length_max: u32,
        default: Option<String>,
    },
    Choice {
        name: String,
        label: RawTexts,
        choices: Vec<String>,
        default: Option<String>,
    },
    Repository {
        name: String,
        label: RawTexts,
        holds: RawHolds,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RawOutput {
    name: String,
    path: String,
    holds: RawHolds,
}

#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum RawHolds {
    Dataset,
    Model,
}

pub(super) fn template(description: &str, script: &[u8]) -> Result<Template, TemplateError> {
    let raw: RawTemplate =
        toml::from_str(description).map_err(|e| TemplateError::Syntax(e.to_string()))?;
    let parameters = raw.parameter.into_iter().map(parameter).collect::<Result<Vec<_>, _>>()?;
    let outputs = raw.output.into_iter().map(output).collect::<Result<Vec<_>, _>>()?;
    unique(parameters.iter().map(|parameter| &parameter.name), "parameter")?;
    unique(outputs.iter().map(|output| &output.name), "output")?;
    let script = Script::parse(script, &[])?;
    let directives = script.directives();
    if directives.chdir.is_some() || directives.array.is_some() {
        let text = "the script of a service neither changes folder nor is an array";
        return Err(TemplateError::Meaning(text.to_owned()));
    }
    Ok(Template {
        name: slug(&raw.name)?,
        version: raw.version,
        title: texts(raw.title),
        description: texts(raw.description),
        parameters,
        outputs,
        script,
    })
}

fn parameter(raw: RawParameter) -> Result<Parameter, TemplateError> {
    let (name, label, kind, default) = match raw {
        RawParameter::Integer { name, label, unit, min, max, default } => {
            let kind = Kind::Integer { unit, min, max };
            (name, label, kind, default.map(|number| number.to_string()))
        }
        RawParameter::Text { name, label, length_max, default } => {
            (name, label, Kind::Text { length_max }, default)
        }
        RawParameter::Choice { name, label, choices, default } => {
            (name, label, Kind::Choice(choices), default)
        }
        RawParameter::Repository { name, label, holds } => {
            (name, label, Kind::Repository { holds: self::holds(holds) }, None)
        }
    };
    let parameter = Parameter { name: slug(&name)?, label: texts(label), kind, default };
    if let Some(default) = &parameter.default {
        render::check(&parameter, default).map_err(|wrong| {
            TemplateError::Meaning(format!("the default of `{name}` is wrong: {}", wrong.problem))
        })?;
    }
    Ok(parameter)
}

fn output(raw: RawOutput) -> Result<Output, TemplateError> {
    let plain = |part: &str| {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        !part.is_empty() && part != "." && part != ".." && part.bytes().all(allowed)
    };
    if !raw.path.split('/').all(plain) {
        let text =
            format!("output `{}`: `{}` is not a folder below the job's own", raw.name, raw.path);
        return Err(TemplateError::Meaning(text));
    }
    Ok(Output { name: slug(&raw.name)?, path: raw.path, holds: holds(raw.holds) })
}

fn unique<'a>(names: impl Iterator<Item = &'a Slug>, what: &str) -> Result<(), TemplateError> {
    let mut seen = BTreeSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(TemplateError::Meaning(format!("{what} `{name}` stands twice")));
        }
    }
    Ok(())
}

fn slug(text: &str) -> Result<Slug, TemplateError> {
    text.parse().map_err(|error: units::NotAKey| TemplateError::Meaning(error.to_string()))
}

fn texts(raw: RawTexts) -> Texts {
    Texts { en: raw.en, fr: raw.fr }
}

const fn holds(raw: RawHolds) -> Holds {
    match raw {
        RawHolds::Dataset => Holds::Dataset,
        RawHolds::Model => Holds::Model,
    }
}
