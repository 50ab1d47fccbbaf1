//! What a token says about itself, unverified: for a person who looks for a mistake, and for nothing else.

use serde_json::Value;

use super::compact::Compact;
use super::json;
use super::reason::Reason;

/// Header and claims as they were written. Nothing of this may be believed.
pub fn inspect(token: &str) -> Result<(Value, Value), Reason> {
    let token = Compact::parse(token)?;
    let object = |bytes: &[u8]| json::object(bytes).map(Value::Object).ok_or(Reason::Malformed);
    Ok((object(&token.header)?, object(&token.payload)?))
}
