"""A tiny API that answers GET /item after a given time; a program of its own, quick to start.

python timed_server.py PORT MILLISECONDS [--fails] [--broken] [--has-child] [--stays] [--pids FILE]
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

DOCUMENT = {
    "openapi": "3.1.0",
    "info": {"title": "Timed", "version": "1"},
    "paths": {"/item": {"get": {"responses": {"200": {"description": "an item"}}}}},
}


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("milliseconds", type=float)
    parser.add_argument("--fails", action="store_true", help="after the first ten requests")
    parser.add_argument("--broken", action="store_true", help="from the first request on")
    parser.add_argument("--has-child", action="store_true", help="which outlives a SIGTERM")
    parser.add_argument("--stays", action="store_true", help="whatever SIGTERM says")
    parser.add_argument("--pids", type=Path)
    asked = parser.parse_args()
    served = 0

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            nonlocal served
            if self.path == "/openapi.json":
                self.answer(200, DOCUMENT)
            elif self.path == "/item":
                served += 1
                time.sleep(asked.milliseconds / 1000)
                fails = asked.broken or (asked.fails and served > 10 and served % 2)
                self.answer(503 if fails else 200, {"id": 1})
            else:
                self.answer(404, {})

        def answer(self, status: int, document: object) -> None:
            body = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    pids = [os.getpid()]
    if asked.has_child:
        stubborn = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
        )
        pids.append(subprocess.Popen([sys.executable, "-c", stubborn]).pid)
    if asked.pids:
        with asked.pids.open("a") as file:
            file.write("".join(f"{pid}\n" for pid in pids))
    signal.signal(signal.SIGTERM, signal.SIG_IGN if asked.stays else lambda *_: sys.exit(0))
    ThreadingHTTPServer(("127.0.0.1", asked.port), Handler).serve_forever()


if __name__ == "__main__":
    main()
