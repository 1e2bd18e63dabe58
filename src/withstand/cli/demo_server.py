"""The demo API as a child process, for as long as a `with` block lasts."""

import importlib.util
import shlex
import subprocess
import sys
import tempfile
from types import TracebackType
from urllib.parse import urlsplit

from withstand.errors import UsageError, WithstandError

_STOP_WITHIN_S = 10


def require_demo() -> None:
    """Raises UsageError when the packages that the demo needs are not installed."""
    missing = [
        name
        for name in ("fastapi", "uvicorn", "limits", "cryptography")
        if importlib.util.find_spec(name) is None
    ]
    if missing:
        raise UsageError(
            f"the demo API needs {', '.join(missing)}, which is not installed",
            hint='install Withstand with its extra "demo", as the README shows',
        )


class DemoServer:
    """Serves the demo over HTTPS on free ports, in a process of its own."""

    def __init__(self, flaws: str = "") -> None:
        self._complaints = tempfile.TemporaryFile("w+")  # noqa: SIM115 - closed with the server
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own arguments
            [
                sys.executable,
                "-m",
                "withstand.demo",
                "--port",
                "0",
                "--https",
                "--http-port",
                "0",
                "--flaws",
                flaws,
            ],
            stdout=subprocess.PIPE,
            stderr=self._complaints,  # a pipe that nobody empties would stop the server
            text=True,
            start_new_session=True,  # Ctrl-C is ours: the server lives until we are done with it
        )
        self._facts: dict[str, str] = {}

    def __enter__(self) -> "DemoServer":
        assert self._process.stdout is not None, "it was asked for above"
        line = self._process.stdout.readline()
        if not line.startswith("ready "):
            self._await_end()  # it closed its output, so it is about to end by itself
            raise self._complaint()
        self._facts = dict(word.split("=", 1) for word in shlex.split(line)[1:])
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.terminate()
        self._await_end()
        self._complaints.close()

    def _await_end(self) -> None:
        try:
            self._process.communicate(timeout=_STOP_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def _complaint(self) -> WithstandError:
        with self._complaints as written:
            written.seek(0)
            message = written.read().strip() or "the demo API did not start"
        is_usage = self._process.returncode == UsageError.exit_code
        return UsageError(message) if is_usage else WithstandError(message)

    @property
    def url(self) -> str:
        """Where the API is served."""
        return self._facts["url"]

    @property
    def pid(self) -> int:
        """The server's process."""
        return int(self._facts["pid"])

    def config(self) -> str:
        """The withstand.toml for this server."""
        from withstand.demo.config import render

        return render(
            port=urlsplit(self.url).port or 443,
            https=True,
            http_port=urlsplit(self._facts["http_url"]).port,
            ca_file=self._facts["ca_file"],
        )
