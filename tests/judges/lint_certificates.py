"""Lints certificates and lists with pkilint, several at once: loading it takes longer than a lint.

Reads a list of [profile, file, …] as JSON from stdin, and prints for each a list of `SEVERITY code`. `pkix` = RFC 5280
alone, `cabf` = the Baseline Requirements for a domain-validated server certificate, `chain` = a certificate beneath that of
its issuer, which comes first, `crl` = a revocation list.
"""

import contextlib
import importlib
import io
import json
import sys

OPTIONS = {
    "pkix": ["lint_pkix_cert"],
    "cabf": ["lint_cabf_serverauth_cert", "-t", "DV-FINAL-CERTIFICATE"],
    "chain": ["lint_pkix_signer_signee_cert_chain"],
    "crl": ["lint_crl", "-t", "CRL", "-p", "PKIX"],
}


def lint(profile: str, *files: str) -> list[str]:
    name, *options = OPTIONS[profile]
    module = importlib.import_module(f"pkilint.bin.{name}")
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        # It answers with the number of its findings.
        module.main(["lint", *options, "-f", "JSON", *files])
    results = json.loads(said.getvalue())["results"]
    return [f"{it['severity']} {it['code']}" for result in results for it in result["finding_descriptions"]]


def main() -> int:
    try:
        importlib.import_module("pkilint")
    except ModuleNotFoundError:
        return 77
    print(json.dumps([lint(*words) for words in json.load(sys.stdin)]))
    return 0


if __name__ == "__main__":
    sys.exit(main())
