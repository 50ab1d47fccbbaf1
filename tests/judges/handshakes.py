"""Makes verified TLS connections to `127.0.0.1:PORT` in four threads until stdin ends; then says how many, how many failed,
and how many certificates were seen: `handshakes.py PORT CA-FILE`."""

import json
import socket
import ssl
import sys
import threading

port, ca = int(sys.argv[1]), sys.argv[2]
stop, lock = threading.Event(), threading.Lock()
told = {"connections": 0, "failed": [], "certificates": set()}


def client():
    context = ssl.create_default_context(cafile=ca)
    while not stop.is_set():
        certificate, failure = None, None
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=10) as plain:
                with context.wrap_socket(plain, server_hostname="localhost") as secured:
                    certificate = secured.getpeercert(binary_form=True)
                    secured.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
                    if not secured.recv(1):
                        failure = "no answer"
        except OSError as error:
            failure = repr(error)
        with lock:
            told["connections"] += 1
            told["certificates"].add(certificate)
            if failure:
                told["failed"].append(failure)


threads = [threading.Thread(target=client) for _ in range(4)]
for thread in threads:
    thread.start()
sys.stdin.read()
stop.set()
for thread in threads:
    thread.join()
told["certificates"] = len(told["certificates"] - {None})
print(json.dumps(told))
