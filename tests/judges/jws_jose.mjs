// Verifies tokens with jose. Reads and prints the same as jws_judges.py.
import { calculateJwkThumbprint, createLocalJWKSet, decodeProtectedHeader, importJWK, jwtVerify } from "jose";
import { readFileSync } from "node:fs";

const given = JSON.parse(readFileSync(0, "utf8"));
const keys = createLocalJWKSet(given.jwks);

async function verdict(token) {
  try {
    const { kid } = decodeProtectedHeader(token);
    const key = given.jwks.keys.find((key) => key.kid === kid);
    // A set has public keys only; a shared one is handed over alone.
    await jwtVerify(token, key.kty === "oct" ? await importJWK(key) : keys, {
      algorithms: [key.alg],
      audience: given.audience,
      clockTolerance: 60,
      issuer: given.issuer,
      requiredClaims: ["iss", "aud", "sub", "jti", "iat", "exp"],
      typ: "at+jwt",
    });
  } catch (error) {
    return error.code ?? error.name;
  }
  return null;
}

const verdicts = {};
for (const [name, token] of Object.entries(given.tokens)) verdicts[name] = { jose: await verdict(token) };
const thumbprints = {};
for (const key of given.jwks.keys) if (key.kty !== "oct") thumbprints[key.kid] = await calculateJwkThumbprint(key);
console.log(JSON.stringify({ verdicts, thumbprints }));
