"""Lints a certificate with pkilint, one finding a line: severity, code.

    pkilint.py (pkix | cabf) CERTIFICATE.pem

`pkix` = RFC 5280 alone, `cabf` = the Baseline Requirements for a domain-validated server certificate. pkilint's exit
code is the number of its findings; ours is 0 once it has answered.
"""

import json
import pathlib
import subprocess
import sys

OPTIONS = {
    "pkix": ["lint_pkix_cert", "lint"],
    "cabf": ["lint_cabf_serverauth_cert", "lint", "-t", "DV-FINAL-CERTIFICATE"],
}


def main() -> int:
    profile, certificate = sys.argv[1:]
    name, *options = OPTIONS[profile]
    command = [str(pathlib.Path(sys.executable).with_name(name)), *options, "-f", "JSON", certificate]
    try:
        run = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return 77
    for result in json.loads(run.stdout)["results"]:
        for finding in result["finding_descriptions"]:
            print(finding["severity"], finding["code"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
