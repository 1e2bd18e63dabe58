"""`python -m tests.clinic --port 0 --flaws a,b`: serve the clinic until told to stop."""

import argparse
import logging
import sys
from collections.abc import Sequence

from werkzeug.serving import WSGIRequestHandler, make_server

from tests.clinic.app import create_app
from tests.clinic.registry import FLAWS


class _Handler(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def version_string(self) -> str:
        return "clinic"  # not which software, nor its version

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Nobody reads it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.clinic",
        epilog="flaws:\n" + "\n".join(f"  {flaw.name:<36} {flaw.title}" for flaw in FLAWS),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--port", type=int, default=0, help="0 for a free one, the default")
    parser.add_argument("--flaws", default="", help='names with commas between, or "all"')
    parser.add_argument(
        "--session-in-body",
        action="store_true",
        help="a login also answers with the session's key, as data.session",
    )
    asked = parser.parse_args(arguments)
    names = [flaw.name for flaw in FLAWS] if asked.flaws == "all" else asked.flaws.split(",")
    try:
        app = create_app(names, session_in_body=asked.session_in_body)
    except ValueError as problem:
        parser.error(str(problem))
    logging.getLogger("clinic").setLevel(logging.CRITICAL)  # of planted crashes, nobody reads it
    server = make_server("127.0.0.1", asked.port, app, threaded=True, request_handler=_Handler)
    sys.stdout.write(f"http://127.0.0.1:{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
