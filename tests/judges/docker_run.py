"""Reads the file argv[1] with `docker run --env-file` and prints NAME=value, NUL-separated.

The docker client parses the file and sends the result to the daemon: here that is a socket of our own, which answers the
version handshake and keeps what `containers/create` brings. Exits 77 without a docker client.
"""

import http.server
import json
import os
import shutil
import socketserver
import subprocess
import sys
import tempfile
import threading

client = shutil.which("docker")
if client is None:
    sys.exit(77)
received = []


class Daemon(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Api-Version", "1.41")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_HEAD(self):
        self.answer(200)

    def do_GET(self):
        self.answer(200, b"OK")

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if "/containers/create" in self.path:
            received.append(json.loads(body))
        self.answer(500, b'{"message":"read enough"}')

    def address_string(self):
        return "client"

    def log_message(self, *_):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "docker.sock")
    server = Server(path, Daemon)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    run = [client, "run", "--env-file", sys.argv[1], "none"]
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": directory, "DOCKER_HOST": f"unix://{path}"}
    done = subprocess.run(run, env=environment, capture_output=True, timeout=60)
    server.shutdown()
if not received:
    sys.exit(f"nothing was sent: {done.stderr.decode()}")
for entry in received[0]["Env"] or []:
    sys.stdout.buffer.write(entry.encode() + b"\0")
