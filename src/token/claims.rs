//! The claims of a token: those of RFC 9068 with a role, and nothing about a person.

use serde::Serialize;

use crate::manifest::model::Role;

/// RFC 9068 §2.1: no other kind of JWT can be taken for one of these (RFC 8725 §3.11).
pub const TYPE: &str = "at+jwt";

/// What a token says. Times are seconds since 1970 (`NumericDate`, RFC 7519 §2).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Claims {
    /// Who minted it.
    #[serde(rename = "iss")]
    pub issuer: String,
    /// Who may accept it: at least one.
    #[serde(rename = "aud")]
    pub audience: Vec<String>,
    /// Who bears it.
    #[serde(rename = "sub")]
    pub subject: String,
    /// What the bearer may do.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "by_name")]
    pub role: Option<Role>,
    /// What the bearer may do, in words joined by spaces (RFC 6749 §3.3); absent when there are none.
    #[serde(skip_serializing_if = "Vec::is_empty", serialize_with = "joined")]
    pub scope: Vec<String>,
    /// The token's own id.
    #[serde(rename = "jti")]
    pub id: String,
    /// When it was minted.
    #[serde(rename = "iat")]
    pub issued: i64,
    /// When it becomes valid.
    #[serde(rename = "nbf")]
    pub not_before: i64,
    /// When it ends.
    #[serde(rename = "exp")]
    pub expires: i64,
}

/// The `role` claim.
pub fn role_name(role: Role) -> &'static str {
    match role {
        Role::Admin => "admin",
        Role::Reader => "reader",
        Role::Service => "service",
        Role::Writer => "writer",
    }
}

/// The role that a `role` claim names.
pub fn role_named(name: &str) -> Option<Role> {
    [Role::Admin, Role::Reader, Role::Service, Role::Writer].into_iter().find(|&role| role_name(role) == name)
}

#[expect(clippy::ref_option, clippy::trivially_copy_pass_by_ref, reason = "serde hands over the field as it is")]
fn by_name<S: serde::Serializer>(role: &Option<Role>, serializer: S) -> Result<S::Ok, S::Error> {
    role.map(role_name).serialize(serializer)
}

fn joined<S: serde::Serializer>(words: &[String], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&words.join(" "))
}
