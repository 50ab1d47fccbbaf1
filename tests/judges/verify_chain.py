"""Verifies a certificate chain with the verifier of python-cryptography (a path builder of its own, RFC 5280).

    verify_chain.py --ca CA.pem --fullchain FULLCHAIN.pem (--dns NAME | --ip ADDRESS | --client)

Prints {"ok": true, "length": certificates in the path}, or {"ok": false, "error": why} with exit code 1.
"""

import argparse
import ipaddress
import json
import pathlib
import sys

from cryptography import x509
from cryptography.x509 import verification


def load(path: str) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pathlib.Path(path).read_bytes())


def verify(arguments: argparse.Namespace) -> int:
    leaf, *intermediates = load(arguments.fullchain)
    builder = verification.PolicyBuilder().store(verification.Store(load(arguments.ca)))
    if arguments.client:
        return len(builder.build_client_verifier().verify(leaf, intermediates).chain)
    if arguments.dns:
        subject = x509.DNSName(arguments.dns)
    else:
        subject = x509.IPAddress(ipaddress.ip_address(arguments.ip))
    return len(builder.build_server_verifier(subject).verify(leaf, intermediates))


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ca", required=True)
    parser.add_argument("--fullchain", required=True)
    who = parser.add_mutually_exclusive_group(required=True)
    who.add_argument("--dns")
    who.add_argument("--ip")
    who.add_argument("--client", action="store_true")
    arguments = parser.parse_args()
    try:
        length = verify(arguments)
    except verification.VerificationError as error:
        print(json.dumps({"ok": False, "error": str(error)}))
        return 1
    print(json.dumps({"ok": True, "length": length}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
