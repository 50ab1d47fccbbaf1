//! From TOML to raw tables, in one pass that goes on after a mistake.
//!
//! serde is not used here: it stops at the first error, and its messages quote the text that they refuse.

use std::fmt;
use std::marker::PhantomData;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::issue::Problems;
use super::model::Rotate;
use super::period::Period;

/// A TOML value and where it stands.
pub(super) type Node<'i> = Spanned<DeValue<'i>>;

/// Something that was read and the offset at which it stands.
#[derive(Debug, Clone, Default)]
pub(super) struct At<T> {
    pub(super) at: usize,
    pub(super) value: T,
}

/// A field that may be absent; one that could not be read is absent too, and reported.
pub(super) type Field<T> = Option<At<T>>;

/// A table whose keys the user chooses, in the order of the file.
#[derive(Debug)]
pub(super) struct Map<T>(pub(super) Vec<(At<String>, At<T>)>);

/// A table as [`Map`], whose entries are many and large: they are read one by one, by [`each`].
#[derive(Debug)]
pub(super) struct Unread<T> {
    /// How many entries it has.
    pub(super) len: usize,
    entry: PhantomData<T>,
}

/// The keys that lead to a value, as a list that grows on the stack.
#[derive(Debug, Clone, Copy)]
pub(super) struct Path<'p> {
    parent: Option<&'p Path<'p>>,
    key: &'p str,
    /// Offset of the key.
    pub(super) at: usize,
}

impl<'p> Path<'p> {
    pub(super) const ROOT: Path<'static> = Path { parent: None, key: "", at: 0 };

    fn child(&'p self, key: &'p str, at: usize) -> Self {
        Self { parent: Some(self), key, at }
    }
}

/// Dotted, with `…` for a key that does not look like a name: who knows what was pasted there.
impl fmt::Display for Path<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(parent) = self.parent.filter(|parent| parent.parent.is_some()) {
            write!(f, "{parent}.")?;
        }
        f.write_str(shown(self.key))
    }
}

/// The key if it can be shown.
fn shown(key: &str) -> &str {
    let plain = key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b'*'));
    if plain && (1..=64).contains(&key.len()) { key } else { "…" }
}

/// What can be read from a TOML value. `None` means that the problem has been reported.
pub(super) trait FromToml: Sized {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self>;
}

/// A table of known fields; made by [`table!`].
pub(super) trait Table: Default {
    const FIELDS: &'static [&'static str];
    /// The fields that must be there, each with an example.
    const REQUIRED: &'static [(&'static str, &'static str)];

    /// Takes a field; tells whether it has one of that name.
    fn set(&mut self, key: &str, node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> bool;
}

/// The tables that a tag such as `kind` chooses from; made by [`variants!`].
pub(super) trait Variants: Sized {
    const TAG: &'static str;
    const EXAMPLE: &'static str;
    const NAMES: &'static [&'static str];

    fn named(name: &str) -> Option<Self>;
    fn name(&self) -> &'static str;
    fn fields(&self) -> &'static [&'static str];
    fn required(&self) -> &'static [(&'static str, &'static str)];
    fn set(&mut self, key: &str, node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> bool;
}

/// A table whose tag decides which fields it has besides the common ones.
#[derive(Debug)]
pub(super) struct Tagged<C, V> {
    pub(super) common: C,
    /// Absent if the tag is missing or wrong, which has been reported.
    pub(super) variant: Option<V>,
    /// Whether all of it could be read: if not, what is absent may be there and wrong.
    pub(super) sound: bool,
}

/// Declares a raw table: the struct, its reader and, for the schema's test, its JSON Schema.
/// A field with `= "example"` is required.
macro_rules! table {
    ($(
        $(#[doc = $doc:literal])*
        $name:ident {
            $($(#[doc = $field_doc:literal])* $(#[schemars($($schema:tt)*)])? $field:ident: $type:ty $(= $example:literal)?,)*
        }
    )*) => {$(
        $(#[doc = $doc])*
        #[derive(Debug, Default)]
        pub(super) struct $name {
            $($(#[doc = $field_doc])* pub(super) $field: $crate::manifest::read::Field<$type>,)*
        }

        impl $crate::manifest::read::Table for $name {
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];
            const REQUIRED: &'static [(&'static str, &'static str)] = &[$($((stringify!($field), $example),)?)*];

            #[allow(unused_variables, reason = "some tables have no field")]
            fn set(
                &mut self,
                key: &str,
                node: &$crate::manifest::read::Node<'_>,
                path: &$crate::manifest::read::Path<'_>,
                problems: &mut $crate::manifest::issue::Problems,
            ) -> bool {
                match key {
                    $(stringify!($field) => self.$field = $crate::manifest::read::field(node, path, problems),)*
                    _ => return false,
                }
                #[allow(unreachable_code, reason = "some tables have no field")]
                true
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).trim_start_matches("Raw").into()
            }
            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                #[derive(schemars::JsonSchema)]
                $(#[doc = $doc])*
                #[allow(dead_code, reason = "only its schema is used")]
                struct Plain {
                    $($(#[doc = $field_doc])* $(#[schemars($($schema)*)])? $field: $type,)*
                }
                let required = <Self as $crate::manifest::read::Table>::REQUIRED;
                $crate::manifest::schema_tests::closed(Plain::json_schema(generator), required)
            }
        }
    )*};
}
pub(super) use table;

/// Declares the tables that a tag chooses from.
macro_rules! variants {
    ($(#[doc = $doc:literal])* $name:ident by $tag:literal as $example:literal { $($(#[doc = $variant_doc:literal])* $variant:ident($table:ty) = $text:literal,)* }) => {
        $(#[doc = $doc])*
        #[derive(Debug)]
        pub(super) enum $name { $($(#[doc = $variant_doc])* $variant($table),)* }

        impl $crate::manifest::read::Variants for $name {
            const TAG: &'static str = $tag;
            const EXAMPLE: &'static str = $example;
            const NAMES: &'static [&'static str] = &[$($text),*];

            fn named(name: &str) -> Option<Self> {
                match name { $($text => Some(Self::$variant(Default::default())),)* _ => None }
            }
            fn name(&self) -> &'static str {
                match self { $(Self::$variant(_) => $text,)* }
            }
            fn fields(&self) -> &'static [&'static str] {
                match self { $(Self::$variant(_) => <$table as $crate::manifest::read::Table>::FIELDS,)* }
            }
            fn required(&self) -> &'static [(&'static str, &'static str)] {
                match self { $(Self::$variant(_) => <$table as $crate::manifest::read::Table>::REQUIRED,)* }
            }
            fn set(
                &mut self,
                key: &str,
                node: &$crate::manifest::read::Node<'_>,
                path: &$crate::manifest::read::Path<'_>,
                problems: &mut $crate::manifest::issue::Problems,
            ) -> bool {
                match self {
                    $(Self::$variant(table) => $crate::manifest::read::Table::set(table, key, node, path, problems),)*
                }
            }
        }

        #[cfg(test)]
        impl $crate::manifest::schema_tests::VariantSchemas for $name {
            const DOCS: &'static [&'static [&'static str]] = &[$(&[$($variant_doc),*]),*];
            fn schemas() -> Vec<schemars::Schema> {
                vec![$($crate::manifest::schema_tests::inline::<$table>()),*]
            }
        }
    };
}
pub(super) use variants;

/// Reads words of a fixed list into an enum of the model.
macro_rules! choices {
    ($($type:ty { $($variant:ident = $text:literal),* $(,)? })*) => {$(
        impl $crate::manifest::read::FromToml for $type {
            fn from_toml(
                node: &$crate::manifest::read::Node<'_>,
                path: &$crate::manifest::read::Path<'_>,
                problems: &mut $crate::manifest::issue::Problems,
            ) -> Option<Self> {
                match $crate::manifest::read::choice(node, path, problems, &[$($text),*])? {
                    $($text => Some(Self::$variant),)*
                    _ => None,
                }
            }
        }

        #[cfg(test)]
        impl schemars::JsonSchema for $type {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($type).into()
            }
            fn inline_schema() -> bool {
                true
            }
            fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!({ "enum": [$($text),*] })
            }
        }
    )*};
}
pub(super) use choices;

/// Reads a field of a table.
pub(super) fn field<T: FromToml>(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Field<T> {
    T::from_toml(node, path, problems).map(|value| At { at: node.span().start, value })
}

/// Reads a word of a fixed list.
pub(super) fn choice(
    node: &Node<'_>,
    path: &Path<'_>,
    problems: &mut Problems,
    words: &[&'static str],
) -> Option<&'static str> {
    let text = text(node, path, problems)?;
    let found = words.iter().find(|&&word| word == text);
    if found.is_none() {
        let message = format!("`{path}` must be one of {}", list(words));
        problems.add_with_guess(node.span().start, message, text, words.iter().copied(), || None);
    }
    found.copied()
}

/// Names in backticks, with commas.
pub(super) fn list(words: &[&str]) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
}

fn text<'n>(node: &'n Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<&'n str> {
    let text = node.get_ref().as_str();
    if text.is_none() {
        let message = format!("`{path}` must be text, not {}", type_name(node));
        match node.get_ref() {
            DeValue::Array(_) | DeValue::Table(_) => problems.add(node.span().start, message),
            _ => problems.add_with_hint(node.span().start, message, "put it in quotes"),
        }
    }
    text
}

fn type_name(node: &Node<'_>) -> &'static str {
    match node.get_ref() {
        DeValue::String(_) => "text",
        DeValue::Integer(_) => "a whole number",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    }
}

fn wrong_type(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems, wanted: &str) {
    problems.add(node.span().start, format!("`{path}` must be {wanted}, not {}", type_name(node)));
}

fn as_table<'n, 'i>(node: &'n Node<'i>, path: &Path<'_>, problems: &mut Problems) -> Option<&'n DeTable<'i>> {
    let table = node.get_ref().as_table();
    if table.is_none() {
        wrong_type(node, path, problems, "a table");
    }
    table
}

impl FromToml for String {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        text(node, path, problems).map(str::to_owned)
    }
}

impl FromToml for bool {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Boolean(flag) = node.get_ref() else {
            wrong_type(node, path, problems, "`true` or `false`");
            return None;
        };
        Some(*flag)
    }
}

impl FromToml for u32 {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let DeValue::Integer(number) = node.get_ref() else {
            let message = format!("`{path}` must be a whole number, not {}", type_name(node));
            match node.get_ref() {
                DeValue::String(_) => problems.add_with_hint(node.span().start, message, "take it out of the quotes"),
                _ => problems.add(node.span().start, message),
            }
            return None;
        };
        // What does not fit is the largest, which no field takes: whoever knows the range of the field tells it.
        Some(Self::from_str_radix(number.as_str(), number.radix()).unwrap_or(Self::MAX))
    }
}

impl FromToml for Period {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let period = node.get_ref().as_str().and_then(Self::parse);
        if period.is_none() {
            let message = format!("`{path}` is not a length of time");
            problems.add_with_hint(
                node.span().start,
                message,
                "write a number and a unit in quotes, such as `\"30d\"` or `\"12h\"`",
            );
        }
        period
    }
}

impl FromToml for Rotate {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let text = node.get_ref().as_str();
        if text == Some("never") {
            return Some(Self::Never);
        }
        let period = text.and_then(Period::parse);
        if period.is_none() {
            let message = format!("`{path}` is neither a length of time nor `never`");
            problems.add_with_hint(node.span().start, message, "write `\"90d\"`, for example, or `\"never\"`");
        }
        period.map(Self::Every)
    }
}

impl<T: FromToml> FromToml for Vec<At<T>> {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(items) = node.get_ref().as_array() else {
            wrong_type(node, path, problems, "a list");
            return None;
        };
        let each = |item| field(item, &Path { at: Spanned::span(item).start, ..*path }, problems);
        Some(items.iter().filter_map(each).collect())
    }
}

impl<T: FromToml> FromToml for Map<T> {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let table = as_table(node, path, problems)?;
        let mut entries = Vec::with_capacity(table.len());
        each(table, path, problems, |name, entry, _| {
            entries.push((At { at: name.at, value: name.value.to_owned() }, entry));
        });
        Some(Self(entries))
    }
}

impl<T> FromToml for Unread<T> {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        as_table(node, path, problems).map(|table| Self { len: table.len(), entry: PhantomData })
    }
}

/// Reads the entries of a table in the order of the file, and hands over those that could be read.
fn each<T: FromToml>(
    table: &DeTable<'_>,
    path: &Path<'_>,
    problems: &mut Problems,
    mut take: impl FnMut(At<&str>, At<T>, &mut Problems),
) {
    let mut nodes: Vec<_> = table.iter().collect();
    nodes.sort_unstable_by_key(|(key, _)| key.span().start);
    for (key, node) in nodes {
        let at = key.span().start;
        if let Some(entry) = field(node, &path.child(key.get_ref(), at), problems) {
            take(At { at, value: key.get_ref() }, entry, problems);
        }
    }
}

/// Reads the entries of an [`Unread`] table beneath the root.
pub(super) fn each_in<T: FromToml>(
    root: &DeTable<'_>,
    key: &str,
    problems: &mut Problems,
    take: impl FnMut(At<&str>, At<T>, &mut Problems),
) {
    let found = root.get_key_value(key).and_then(|(key, node)| Some((key, node.get_ref().as_table()?)));
    if let Some((key, table)) = found {
        each(table, &Path::ROOT.child(key.get_ref(), key.span().start), problems, take);
    }
}

impl<T: Table> FromToml for T {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        as_table(node, path, problems).map(|table| read_table(table, path, problems))
    }
}

/// Reads a table of known fields.
pub(super) fn read_table<T: Table>(table: &DeTable<'_>, path: &Path<'_>, problems: &mut Problems) -> T {
    let mut read = T::default();
    for (key, node) in table {
        let place = path.child(key.get_ref(), key.span().start);
        if !read.set(key.get_ref(), node, &place, problems) {
            let otherwise = || Some(format!("the fields here are {}", list(T::FIELDS)));
            let message = format!("`{place}` is not a field");
            problems.add_with_guess(place.at, message, key.get_ref(), T::FIELDS.iter().copied(), otherwise);
        }
    }
    report_missing(table, T::REQUIRED, path, problems);
    read
}

fn report_missing(table: &DeTable<'_>, required: &[(&str, &str)], path: &Path<'_>, problems: &mut Problems) {
    for (field, example) in required {
        if !table.contains_key(*field) {
            let place = path.child(field, path.at);
            problems.add_with_hint(path.at, format!("`{place}` is missing"), format!("add `{example}`"));
        }
    }
}

impl<C: Table, V: Variants> FromToml for Tagged<C, V> {
    fn from_toml(node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<Self> {
        let Some(table) = node.get_ref().as_table() else {
            let message = format!("`{path}` must be a table, not {}", type_name(node));
            problems.add_with_hint(
                path.at,
                message,
                format!("write `[{path}]` and beneath it `{}`; a secret's value never stands here", V::EXAMPLE),
            );
            return None;
        };
        let before = problems.count();
        let mut read = Self { common: C::default(), variant: variant(table, path, problems), sound: true };
        for (key, node) in table {
            let place = path.child(key.get_ref(), key.span().start);
            if key.get_ref() != V::TAG && !read.set(key.get_ref(), node, &place, problems) {
                read.report_unknown(key.get_ref(), &place, problems);
            }
        }
        report_missing(table, C::REQUIRED, path, problems);
        report_missing(table, read.variant.as_ref().map_or(&[], V::required), path, problems);
        read.sound = problems.count() == before;
        Some(read)
    }
}

fn variant<V: Variants>(table: &DeTable<'_>, path: &Path<'_>, problems: &mut Problems) -> Option<V> {
    let Some((key, node)) = table.get_key_value(V::TAG) else {
        report_missing(table, &[(V::TAG, V::EXAMPLE)], path, problems);
        return None;
    };
    choice(node, &path.child(key.get_ref(), key.span().start), problems, V::NAMES).and_then(V::named)
}

impl<C: Table, V: Variants> Tagged<C, V> {
    fn set(&mut self, key: &str, node: &Node<'_>, path: &Path<'_>, problems: &mut Problems) -> bool {
        self.common.set(key, node, path, problems)
            || self.variant.as_mut().is_some_and(|variant| variant.set(key, node, path, problems))
    }

    /// A field of another variant is not a slip of the finger: say whose it is.
    fn report_unknown(&self, key: &str, place: &Path<'_>, problems: &mut Problems) {
        let others = V::NAMES.iter().filter_map(|name| V::named(name));
        let owners: Vec<&str> =
            others.filter(|other| other.fields().contains(&key)).map(|other| other.name()).collect();
        let Some(variant) = &self.variant else {
            // Without a tag nobody knows which fields are right, but what no variant has is wrong in any case.
            if owners.is_empty() {
                let known = C::FIELDS.iter().chain(std::iter::once(&V::TAG)).copied();
                problems.add_with_guess(place.at, format!("`{place}` is not a field"), key, known, || None);
            }
            return;
        };
        let message = format!("`{place}` is not a field of {} `{}`", V::TAG, variant.name());
        if owners.is_empty() {
            let own = variant.fields().iter().chain(C::FIELDS).chain(std::iter::once(&V::TAG)).copied();
            let all: Vec<&str> = own.collect();
            let otherwise = || Some(format!("the fields here are {}", list(&all)));
            problems.add_with_guess(place.at, message, key, all.iter().copied(), otherwise);
        } else {
            problems.add_with_hint(place.at, message, format!("it belongs to {} {}", V::TAG, list(&owners)));
        }
    }
}
