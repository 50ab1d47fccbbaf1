"""Verifies one token with PyJWT.

Reads {"token", "key", "algorithm", "audience", "issuer"} as JSON from stdin, so that no token stands in a process
list. `key` is the text of an HMAC key or the PEM of a public key. Prints {"ok": true, "header", "claims", "thumbprint"
(of a public key)}, or {"ok": false, "error": the exception's class} with exit code 1.
"""

import base64
import hashlib
import json
import sys

import jwt

REQUIRED = ["iss", "aud", "sub", "jti", "iat", "nbf", "exp"]


def thumbprint(key: str, algorithm: str) -> str | None:
    """RFC 7638: SHA-256 of the JWK's required members, in the order of their names, without white space."""
    if not key.startswith("-----BEGIN"):
        return None
    jws = jwt.get_algorithm_by_name(algorithm)
    jwk = jws.to_jwk(jws.prepare_key(key), as_dict=True)
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y") if name in jwk}
    digest = hashlib.sha256(json.dumps(required, sort_keys=True, separators=(",", ":")).encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def main() -> int:
    given = json.load(sys.stdin)
    try:
        header = jwt.get_unverified_header(given["token"])
        claims = jwt.decode(
            given["token"],
            given["key"],
            algorithms=[given["algorithm"]],
            audience=given["audience"],
            issuer=given["issuer"],
            options={"require": REQUIRED},
        )
    except jwt.PyJWTError as error:
        print(json.dumps({"ok": False, "error": type(error).__name__}))
        return 1
    print(json.dumps({"ok": True, "header": header, "claims": claims, "thumbprint": thumbprint(given["key"], given["algorithm"])}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
