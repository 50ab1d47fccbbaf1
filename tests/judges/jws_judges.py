"""Verifies tokens with PyJWT, joserfc and jwcrypto.

Reads {"jwks", "issuer", "audience", "tokens": {name: token}} as JSON from stdin. Prints {"verdicts": {name: {library:
null, or the class of the exception}}, "thumbprints": {kid: the RFC 7638 thumbprint by jwcrypto}, "missing": the libraries
that are not installed}. Each library picks the key by `kid` and is told the key's own algorithm, as its documentation asks
for.
"""

import base64
import importlib.util
import json
import sys
import warnings

REQUIRED = ["iss", "aud", "sub", "jti", "iat", "exp"]


class NoKey(Exception):
    """The token names no key of the set."""


def entry(given: dict, token: str) -> dict:
    header = token.split(".")[0]
    kid = json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("kid")
    for key in given["jwks"]["keys"]:
        if key["kid"] == kid:
            return key
    raise NoKey


def pyjwt(given: dict, token: str) -> None:
    import jwt

    key = entry(given, token)
    jwt.decode(
        token,
        jwt.PyJWK(key),
        algorithms=[key["alg"]],
        audience=given["audience"],
        issuer=given["issuer"],
        leeway=60,
        options={"require": REQUIRED},
    )


def joserfc(given: dict, token: str) -> None:
    from joserfc import jwk, jwt

    key = entry(given, token)
    keys = jwk.KeySet.import_key_set(given["jwks"])
    decoded = jwt.decode(token, keys, algorithms=[key["alg"]])
    expected = {name: {"essential": True} for name in REQUIRED}
    expected["iss"]["value"] = given["issuer"]
    expected["aud"]["value"] = given["audience"]
    jwt.JWTClaimsRegistry(leeway=60, **expected).validate(decoded.claims)


def jwcrypto(given: dict, token: str) -> None:
    from jwcrypto import jwk, jwt

    key = entry(given, token)
    keys = jwk.JWKSet.from_json(json.dumps(given["jwks"]))
    checks = {name: None for name in REQUIRED} | {"iss": given["issuer"], "aud": given["audience"]}
    jwt.JWT(jwt=token, key=keys, algs=[key["alg"]], check_claims=checks, expected_type="JWS")


def thumbprints_of(keys: list) -> dict:
    from jwcrypto import jwk

    return {key["kid"]: jwk.JWK(**key).thumbprint() for key in keys if key["kty"] != "oct"}


def verdict(judge, given: dict, token: str) -> str | None:
    try:
        judge(given, token)
    except Exception as error:  # whatever it is, the token is refused
        return type(error).__name__
    return None


def main() -> None:
    warnings.simplefilter("ignore")
    given = json.load(sys.stdin)
    judges = {"pyjwt": ("jwt", pyjwt), "joserfc": ("joserfc", joserfc), "jwcrypto": ("jwcrypto", jwcrypto)}
    missing = [library for library, (module, _) in judges.items() if not importlib.util.find_spec(module)]
    verdicts = {
        name: {library: verdict(judge, given, token) for library, (_, judge) in judges.items() if library not in missing}
        for name, token in given["tokens"].items()
    }
    thumbprints = None if "jwcrypto" in missing else thumbprints_of(given["jwks"]["keys"])
    print(json.dumps({"verdicts": verdicts, "thumbprints": thumbprints, "missing": missing}))


main()
