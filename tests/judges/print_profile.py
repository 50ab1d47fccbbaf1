"""Prints everything that a certificate says about itself, as JSON, for a test that asserts the exact profile.

    print_profile.py CERTIFICATE.pem

Extensions stand in the order of the certificate, by name, with their criticality. Times are seconds.
"""

import json
import pathlib
import sys

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

KEY_USAGES = [
    "digital_signature",
    "content_commitment",
    "key_encipherment",
    "data_encipherment",
    "key_agreement",
    "key_cert_sign",
    "crl_sign",
]


def name(value: x509.Name) -> dict[str, str]:
    return {attribute.rfc4514_attribute_name: attribute.value for attribute in value}


def general_name(value: x509.GeneralName) -> str:
    kind = {x509.DNSName: "dns", x509.IPAddress: "ip", x509.UniformResourceIdentifier: "uri"}.get(type(value), "other")
    return f"{kind}:{value.value}"


def key(certificate: x509.Certificate) -> str:
    public = certificate.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return public.curve.name
    if isinstance(public, ed25519.Ed25519PublicKey):
        return "ed25519"
    if isinstance(public, rsa.RSAPublicKey):
        return f"rsa{public.key_size}"
    return type(public).__name__


def extension_value(value: x509.ExtensionType) -> object:
    match value:
        case x509.BasicConstraints():
            return {"ca": value.ca, "path_length": value.path_length}
        case x509.KeyUsage():
            return [usage for usage in KEY_USAGES if getattr(value, usage)]
        case x509.ExtendedKeyUsage():
            return [usage._name for usage in value]
        case x509.SubjectAlternativeName():
            return [general_name(entry) for entry in value]
        case x509.SubjectKeyIdentifier():
            return value.digest.hex()
        case x509.AuthorityKeyIdentifier():
            return value.key_identifier.hex() if value.key_identifier else None
        case x509.NameConstraints():
            return {
                "permitted": [general_name(entry) for entry in value.permitted_subtrees or []],
                "excluded": [general_name(entry) for entry in value.excluded_subtrees or []],
            }
        case _:
            return value.public_bytes().hex()


def profile(certificate: x509.Certificate) -> dict[str, object]:
    lifetime = certificate.not_valid_after_utc - certificate.not_valid_before_utc
    return {
        "version": certificate.version.name,
        "subject": name(certificate.subject),
        "issuer": name(certificate.issuer),
        "self_issued": certificate.subject == certificate.issuer,
        "key": key(certificate),
        "signature": certificate.signature_algorithm_oid._name,
        "serial_bits": certificate.serial_number.bit_length(),
        "not_before": int(certificate.not_valid_before_utc.timestamp()),
        "not_after": int(certificate.not_valid_after_utc.timestamp()),
        # RFC 5280 §4.1.2.5 counts both ends, so a certificate of 90 days says one second less.
        "lifetime": int(lifetime.total_seconds()),
        "extensions": [
            {
                "name": extension.oid._name,
                "critical": extension.critical,
                "value": extension_value(extension.value),
            }
            for extension in certificate.extensions
        ],
    }


def main() -> None:
    certificates = x509.load_pem_x509_certificates(pathlib.Path(sys.argv[1]).read_bytes())
    print(json.dumps([profile(certificate) for certificate in certificates]))


if __name__ == "__main__":
    main()
