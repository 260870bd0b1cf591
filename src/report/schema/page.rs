//! The tables of `docs/json.md`: one for each object of the schemas that the page has a place for; those without one
//! are told in the row of the field that holds them.
//!
//! A place is `<!-- fields of KIND -->` or `<!-- fields of KIND.OBJECT -->`, and ends at `<!-- end -->`.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::Value;

const BEGIN: &str = "<!-- fields of ";
const END: &str = "<!-- end -->";

/// Forms of which the page says once how they look.
const FORMS: [(&str, &str, &str); 10] = [
    ("Name", "name", "names"),
    ("Path", "path", "paths"),
    ("DType", "dtype", "dtypes"),
    ("Shape", "shape", "shapes"),
    ("Checksum", "checksum", "checksums"),
    ("Float", "float", "floats"),
    ("Number", "number", "numbers"),
    ("Element", "element", "elements"),
    ("Sums", "sums", "sums"),
    ("Values", "values", "values"),
];

/// The page with its tables.
pub(super) fn filled(page: &str, schemas: &BTreeMap<&'static str, Value>) -> String {
    let mut pieces = page.split(BEGIN);
    let mut out = pieces.next().unwrap().to_owned();
    let pieces: Vec<(&str, &str)> = pieces.map(|piece| piece.split_once(" -->").expect("a place has an end")).collect();
    let placed: Vec<&str> = pieces.iter().map(|(what, _)| *what).collect();
    for (what, rest) in &pieces {
        let (kind, object) = what.split_once('.').unwrap_or((what, ""));
        let root = schemas.get(kind).unwrap_or_else(|| panic!("no document is a {kind}"));
        let tables = Tables { root, placed: placed.iter().map(|what| what.rsplit('.').next().unwrap()).collect() };
        let schema = if object.is_empty() { root } else { &root["$defs"][object] };
        assert!(schema.is_object(), "a {kind} has no {object}");
        let (_, rest) = rest.split_once(END).expect("a table has an end");
        let _ = write!(out, "{BEGIN}{what} -->\n\n{}\n{END}{rest}", tables.table(schema));
    }
    for kind in schemas.keys() {
        assert!(placed.contains(kind) || placed.iter().any(|what| what.starts_with(&format!("{kind}."))), "{kind}");
    }
    out
}

struct Tables<'s> {
    root: &'s Value,
    /// Objects that have a table.
    placed: Vec<&'s str>,
}

impl Tables<'_> {
    fn table(&self, schema: &Value) -> String {
        let mut out = String::from("| field | type | meaning |\n|---|---|---|\n");
        for (names, kind, meaning) in self.rows(schema) {
            let _ = writeln!(out, "| {} | {kind} | {} |", quoted(&names), meaning.replace('|', "\\|"));
        }
        out.replace("|  |", "| |")
    }

    /// What a field is, in a few words.
    fn kind(&self, field: &Value, required: bool) -> String {
        let kind = self.words(field, false);
        let says_when = field["description"].as_str().is_some_and(|text| text.contains("absent"));
        if required || says_when { kind } else { format!("{kind}, may be absent") }
    }

    fn words(&self, schema: &Value, many: bool) -> String {
        let plural = |one: &str| if many { format!("{one}s") } else { one.to_owned() };
        if let Some(name) = reference(schema) {
            let form = FORMS.iter().find(|(form, ..)| *form == name);
            return match form {
                Some((_, one, all)) => (if many { *all } else { *one }).to_owned(),
                None => self.words(&self.root["$defs"][name], many),
            };
        }
        if let Some(value) = schema.get("const") {
            return format!("`{value}`");
        }
        if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
            if any.iter().any(|one| one.get("enum").is_some()) {
                return plural("word");
            }
            let mut all: Vec<String> = Vec::new();
            for words in any.iter().map(|one| self.words(one, many)) {
                if !all.contains(&words) {
                    all.push(words);
                }
            }
            return all.join(" or ");
        }
        match &schema["type"] {
            Value::Array(types) => {
                let one = |of: &Value| {
                    let mut single = schema.clone();
                    single["type"] = of.clone();
                    self.words(&single, many)
                };
                types.iter().map(one).collect::<Vec<_>>().join(" or ")
            }
            Value::String(kind) if kind == "array" => {
                let items = self.words(&schema["items"], true);
                format!("{} of {items}", plural("array"))
            }
            Value::String(kind) if kind == "object" && schema.get("properties").is_none() => {
                format!("{} of {}", plural("object"), self.words(&schema["additionalProperties"], true))
            }
            Value::String(kind) if kind == "null" => kind.clone(),
            Value::String(kind) => plural(kind),
            _ => plural("value"),
        }
    }

    /// What a field means, the words that it may be, and the fields of an object that has no table of its own.
    fn meaning(&self, field: &Value) -> String {
        let own = field["description"].as_str().unwrap_or_default();
        let words = self.word_list(field);
        let told = words.iter().filter(|word| own.contains(*word)).count();
        // A description says what each word means, or refers to another one, or leaves them to us.
        assert!(told == 0 || told == words.len(), "not all of {words:?} in: {own}");
        let is_elsewhere = own.starts_with("as ");
        let words = if told == 0 && !is_elsewhere { words.join(", ") } else { String::new() };
        let inner: Vec<String> = self.objects(field).into_iter().map(|object| self.inline(object)).collect();
        let parts = [own.to_owned(), words, inner.join("; or ")];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(": ")
    }

    fn inline(&self, object: &Value) -> String {
        let field = |(names, kind, meaning): (Vec<&str>, String, String)| {
            let colon = if meaning.is_empty() { "" } else { ": " };
            format!("{} ({kind}{colon}{meaning})", quoted(&names))
        };
        self.rows(object).into_iter().map(field).collect::<Vec<_>>().join(", ")
    }

    /// Fields with their types and meanings; neighbours that are alike together.
    fn rows<'v>(&self, object: &'v Value) -> Vec<(Vec<&'v str>, String, String)> {
        let mut rows: Vec<(Vec<&str>, String, String)> = Vec::new();
        for (name, field, required) in fields(object) {
            let (kind, meaning) = (self.kind(field, required), self.meaning(field));
            match rows.last_mut() {
                Some((names, of, what)) if *of == kind && *what == meaning => names.push(name),
                _ => rows.push((vec![name], kind, meaning)),
            }
        }
        rows
    }

    /// The words that a field may be, in backticks; none if it is something else.
    fn word_list(&self, schema: &Value) -> Vec<String> {
        if let Some(name) = reference(schema) {
            let is_form = FORMS.iter().any(|(form, ..)| *form == name);
            return if is_form { Vec::new() } else { self.word_list(&self.root["$defs"][name]) };
        }
        let any = schema.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        if let Some(words) = any.clone().find_map(|one| one.get("enum")?.as_array()) {
            return words.iter().filter_map(Value::as_str).map(|word| format!("`{word}`")).collect();
        }
        any.chain(schema.get("items"))
            .map(|inner| self.word_list(inner))
            .find(|all| !all.is_empty())
            .unwrap_or_default()
    }

    /// The objects that a field holds, one or many of them, if the page has no table of them.
    fn objects<'v>(&'v self, field: &'v Value) -> Vec<&'v Value> {
        if let Some(name) = reference(field) {
            let is_told = self.placed.contains(&name) || FORMS.iter().any(|(form, ..)| *form == name);
            return if is_told { Vec::new() } else { self.objects(&self.root["$defs"][name]) };
        }
        if field.get("properties").is_some() {
            return vec![field];
        }
        let any = field.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        let inner = ["items", "additionalProperties"].iter().filter_map(|key| field.get(key));
        any.chain(inner).flat_map(|inner| self.objects(inner)).collect()
    }
}

/// Names of fields as the page has them.
fn quoted(names: &[&str]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The name of the object or form that a schema refers to.
fn reference(schema: &Value) -> Option<&str> {
    schema.get("$ref")?.as_str()?.strip_prefix("#/$defs/")
}

/// Fields in their order, and whether each is always there.
fn fields(schema: &Value) -> Vec<(&str, &Value, bool)> {
    let required = schema["required"].as_array();
    let is_required = |name: &str| required.is_some_and(|all| all.iter().any(|one| one == name));
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, field)| (name.as_str(), field, is_required(name))).collect()
}
