//! The JSON Schema of the manifest, made from the raw tables and held against the file that is shipped.

use std::borrow::Cow;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::{Map as JsonMap, Value, json};

use super::model::{KeyAlgorithm, Rotate};
use super::period::Period;
use super::raw::{Day, KEY_ALGORITHMS, Mode, RawManifest, Windows};
use super::read::{At, Map, Tagged, Unread, Variants};

/// What [`super::read::variants!`] knows for the schema.
pub(super) trait VariantSchemas: Variants {
    const DOCS: &'static [&'static [&'static str]];
    fn schemas() -> Vec<Schema>;
}

/// The schema of a table whose fields are all plain.
pub(super) fn inline<T: JsonSchema>() -> Schema {
    T::json_schema(&mut SchemaSettings::draft2020_12().into_generator())
}

/// A table with no other fields than the known ones.
pub(super) fn closed(mut schema: Schema, required: &[(&str, &str)]) -> Schema {
    schema.insert("additionalProperties".into(), false.into());
    schema.remove("required");
    if !required.is_empty() {
        let names: Vec<&str> = required.iter().map(|&(name, _)| name).collect();
        schema.insert("required".into(), json!(names));
    }
    schema
}

/// Schemas that stand where they are used.
macro_rules! inline_schema {
    ($($type:ty = $schema:expr;)*) => {$(
        impl JsonSchema for $type {
            fn schema_name() -> Cow<'static, str> {
                stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    )*};
}

/// Days, hours and a zone; which days and zones there are is for the parser to tell.
const WINDOW: &str = r"^\s*([A-Za-z]+([-,][A-Za-z]+)*\s+)?[0-2][0-9]:[0-5][0-9]-[0-2][0-9]:[0-5][0-9]\s+\S+\s*$";

inline_schema! {
    Day = json_schema!({ "type": "string", "format": "date" });
    KeyAlgorithm = json_schema!({ "enum": KEY_ALGORITHMS });
    Mode = json_schema!({ "type": "string", "pattern": "^0*[0-7]{1,3}$" });
    Period = json_schema!({ "type": "string", "pattern": "^[0-9]+[smhdwy]$" });
    Rotate = json_schema!({ "type": "string", "pattern": "^([0-9]+[smhdwy]|never)$" });
    Windows = json_schema!({
        "oneOf": [
            { "type": "string", "pattern": WINDOW },
            { "type": "array", "minItems": 1, "items": { "type": "string", "pattern": WINDOW } },
        ]
    });
}

impl<T: JsonSchema> JsonSchema for At<T> {
    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }
    fn inline_schema() -> bool {
        T::inline_schema()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

impl<T: JsonSchema> JsonSchema for Map<T> {
    fn schema_name() -> Cow<'static, str> {
        format!("MapOf{}", T::schema_name()).into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object", "additionalProperties": generator.subschema_for::<T>() })
    }
}

impl<T: JsonSchema> JsonSchema for Unread<T> {
    fn schema_name() -> Cow<'static, str> {
        Map::<T>::schema_name()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Map::<T>::json_schema(generator)
    }
}

impl<C: JsonSchema, V: VariantSchemas> JsonSchema for Tagged<C, V> {
    fn schema_name() -> Cow<'static, str> {
        format!("By-{}", V::TAG).into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let common = C::json_schema(generator);
        let variants = V::schemas().into_iter().zip(V::NAMES).zip(V::DOCS);
        let one_of: Vec<Value> =
            variants.map(|((own, name), docs)| variant(V::TAG, name, &docs.concat(), &own, &common)).collect();
        json_schema!({ "type": "object", "required": [V::TAG], "oneOf": one_of })
    }
}

/// The common fields, the variant's own, and the tag, which can only be this one.
fn variant(tag: &str, name: &str, doc: &str, own: &Schema, common: &Schema) -> Value {
    let mut properties = JsonMap::new();
    for schema in [common, own] {
        properties.extend(schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default());
    }
    properties.insert(tag.into(), json!({ "const": name, "description": doc.trim() }));
    let own_required = own.get("required").and_then(Value::as_array).cloned().unwrap_or_default();
    let required: Vec<Value> = std::iter::once(json!(tag)).chain(own_required).collect();
    json!({
        "type": "object",
        "title": name,
        "description": doc.trim(),
        "properties": properties,
        "required": required,
        "additionalProperties": false,
    })
}

fn generated() -> String {
    let mut schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<RawManifest>();
    schema.insert("title".into(), "vault-kit.toml".into());
    serde_json::to_string_pretty(&schema).unwrap() + "\n"
}

#[test]
#[expect(clippy::disallowed_methods, reason = "a test that may rewrite a file of the source tree")]
fn the_shipped_schema_is_the_one_that_the_types_make() {
    let generated = generated();
    if std::env::var_os("UPDATE_SCHEMAS").is_some() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/schemas/manifest.schema.json");
        std::fs::write(path, &generated).unwrap();
        return;
    }
    assert!(generated == super::SCHEMA, "run `UPDATE_SCHEMAS=1 cargo test --lib schema` and commit schemas/");
}

#[test]
fn each_kind_and_format_has_its_own_closed_schema() {
    let schema: Value = serde_json::from_str(&generated()).unwrap();
    for (definition, tag, count) in [("By-kind", "kind", 13), ("By-format", "format", 13)] {
        let variants = schema["$defs"][definition]["oneOf"].as_array().unwrap();
        assert_eq!(variants.len(), count);
        for variant in variants {
            assert_eq!(variant["additionalProperties"], false);
            assert!(variant["properties"][tag]["const"].is_string());
            let properties = variant["properties"].as_object().unwrap();
            assert!(properties.values().all(|property| property["description"].is_string()), "{variant}");
        }
    }
}

#[test]
fn the_schema_requires_what_the_parser_requires() {
    let schema: Value = serde_json::from_str(&generated()).unwrap();
    let kinds = schema["$defs"]["By-kind"]["oneOf"].as_array().unwrap();
    let kind = |name: &str| kinds.iter().find(|kind| kind["title"] == name).unwrap();
    assert_eq!(schema["required"], json!(["project"]));
    assert_eq!(schema["$defs"]["Project"]["required"], json!(["name"]));
    assert_eq!(kind("token")["required"], json!(["kind", "signed_by"]));
    assert_eq!(kind("random")["properties"]["bytes"]["minimum"], 16);
    assert_eq!(kind("random")["properties"]["encoding"]["enum"], json!(["base64", "base64url", "hex"]));
}
