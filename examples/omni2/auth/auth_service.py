"""The authentication service of a gateway: hands a request's headers to vault-kit, and its answer back.

GET /verify takes any good token, GET /verify/ROLE only one of that role. Traefik's ForwardAuth and nginx' auth_request
understand the answer: 200 with X-User-Id, X-User-Role and X-User-Scope, or 401 or 403 with WWW-Authenticate. No token
reaches an argument, the environment or the log.
"""

import os
import subprocess
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

VERIFY = [
    os.environ.get("VAULT_KIT", "vault-kit"), "token", "verify", "--forward-auth", "--quiet",
    "--jwks", os.environ["JWKS_FILE"],
    "--revoked", os.environ["REVOKED_FILE"],
    "--issuer", os.environ["AUTH_ISSUER"],
    "--audience", os.environ["AUTH_AUDIENCE"],
]
ROLES = ("admin", "reader", "service", "writer")
SECONDS = 5


def command(path):
    """What answers a path; None where nothing is."""
    if path == "/verify":
        return VERIFY
    role = path.removeprefix("/verify/")
    return [*VERIFY, "--require-role", role] if role in ROLES else None


def ask(verify, headers):
    """Status and headers of vault-kit's answer."""
    request = "".join(f"{name}: {value}\n" for name, value in headers).encode("latin-1", "replace")
    run = subprocess.run(verify, input=request, stdout=subprocess.PIPE, timeout=SECONDS, check=False)
    if run.returncode not in (0, 1):
        raise RuntimeError(f"vault-kit ended with {run.returncode}")
    lines = run.stdout.decode("ascii").split("\n\n", 1)[0].splitlines()
    answer = [line.partition(":")[::2] for line in lines]
    (name, status), *rest = [(name, value.strip()) for name, value in answer]
    if name != "Status":
        raise RuntimeError("vault-kit gave no status")
    return int(status.split()[0]), rest


class Handler(BaseHTTPRequestHandler):
    """One request of the gateway."""

    protocol_version = "HTTP/1.1"

    def do_GET(self):
        verify = command(self.path)
        try:
            status, headers = ask(verify, self.headers.items()) if verify else (404, [])
        # Whatever went wrong, nobody passes: a gateway takes every other status for a refusal.
        except (OSError, RuntimeError, ValueError, subprocess.SubprocessError) as error:
            self.log_error("%s", type(error).__name__)
            status, headers = 500, []
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()


if __name__ == "__main__":
    address = (os.environ.get("LISTEN", "0.0.0.0"), int(os.environ.get("PORT", "9000")))
    with ThreadingHTTPServer(address, Handler) as server:
        print(f"listening on {server.server_port}", flush=True)
        server.serve_forever()
