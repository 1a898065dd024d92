//! A request made from its declaration.

use serde_json::{Map, Value, json};

use crate::tests::world::World;

/// Makes requests from the document and the things of the world.
pub(super) struct Sampler<'a> {
    pub(super) document: &'a Value,
    pub(super) world: &'a World,
}

impl Sampler<'_> {
    /// The path with its placeholders and required queries filled in.
    pub(super) fn path(&self, template: &str, operation: &Value) -> String {
        let mut noun = "";
        let filled: Vec<String> = template
            .split('/')
            .map(|segment| match segment.strip_prefix('{').and_then(|s| s.strip_suffix('}')) {
                Some(name) => self.world.named(noun, name.trim_start_matches('*')),
                None => {
                    noun = segment;
                    segment.to_owned()
                }
            })
            .collect();
        let queries: Vec<String> = operation["parameters"]
            .as_array()
            .into_iter()
            .flatten()
            .filter(|parameter| parameter["in"] == "query" && parameter["required"] == true)
            .map(|parameter| {
                let name = parameter["name"].as_str().unwrap();
                let example = parameter.get("example").cloned();
                let value =
                    example.unwrap_or_else(|| self.value(template, name, &parameter["schema"]));
                let value = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                format!("{name}={}", value.replace(' ', "%20"))
            })
            .collect();
        let query =
            if queries.is_empty() { String::new() } else { format!("?{}", queries.join("&")) };
        filled.join("/") + &query
    }

    /// The headers and the body.
    pub(super) fn body(
        &self,
        path: &str,
        operation: &Value,
    ) -> (Vec<(&'static str, String)>, Vec<u8>) {
        let Some(content) = operation["requestBody"]["content"].as_object() else {
            return (Vec::new(), Vec::new());
        };
        match content.get("application/json") {
            Some(media) => {
                let body = self.value(path, "", &media["schema"]).to_string().into_bytes();
                (vec![("content-type", "application/json".to_owned())], body)
            }
            None => {
                let kind = content.keys().next().unwrap().clone();
                (vec![("content-type", kind)], world_bytes())
            }
        }
    }

    /// A value of `schema` for the property `name`.
    fn value(&self, path: &str, name: &str, schema: &Value) -> Value {
        if let Some(reference) = schema["$ref"].as_str() {
            let pointer = reference.trim_start_matches('#');
            return self.value(path, name, self.document.pointer(pointer).unwrap());
        }
        if let Some(known) = self.world.property(path, name) {
            return json!(known);
        }
        for choice in ["oneOf", "anyOf", "allOf"] {
            if let Some(first) = schema[choice]
                .as_array()
                .and_then(|options| options.iter().find(|option| option["type"] != "null"))
            {
                return self.value(path, name, first);
            }
        }
        if let Some(first) = schema["enum"].as_array().and_then(|values| values.first()) {
            return first.clone();
        }
        let kind = match &schema["type"] {
            Value::Array(kinds) => kinds.iter().find(|kind| **kind != "null").unwrap(),
            one => one,
        };
        match kind.as_str().unwrap_or_default() {
            "object" => self.object(path, schema),
            "array" => {
                let count = schema["minItems"].as_u64().unwrap_or(0);
                let item = || self.value(path, name, &schema["items"]);
                Value::Array((0..count).map(|_| item()).collect())
            }
            "integer" | "number" => json!(schema["minimum"].as_i64().unwrap_or(1)),
            "boolean" => json!(false),
            _ => self.text(name, schema),
        }
    }

    fn object(&self, path: &str, schema: &Value) -> Value {
        let required = schema["required"].as_array().into_iter().flatten();
        let required: Vec<&str> = required.map(|name| name.as_str().unwrap()).collect();
        // What is not required is sent where the world says that it must be.
        let properties = schema["properties"].as_object().into_iter().flatten();
        let fields: Map<String, Value> = properties
            .filter(|(name, _)| {
                required.contains(&name.as_str()) || self.world.property(path, name).is_some()
            })
            .map(|(name, property)| (name.clone(), self.value(path, name, property)))
            .collect();
        Value::Object(fields)
    }

    fn text(&self, name: &str, schema: &Value) -> Value {
        if let Some(example) = schema["example"].as_str() {
            return json!(example);
        }
        match schema["format"].as_str() {
            Some("uuid") => json!(self.world.named(name, name)),
            Some("date-time") => json!("2026-11-21T09:00:00Z"),
            Some("date") => json!("2026-11-21"),
            Some("email") => json!("new@example.org"),
            _ => json!("correct horse battery"),
        }
    }
}

/// The bytes that an upload sends; their name is the digest that the world gives.
fn world_bytes() -> Vec<u8> {
    b"some bytes".to_vec()
}
