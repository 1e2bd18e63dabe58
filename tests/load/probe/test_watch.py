"""Probes of real processes, endpoints and commands; one that fails does not end the load."""

import http.server
import os
import shlex
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.load.conftest import Api
from withstand.client.loop import run
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.load.engine.run import run_load
from withstand.load.measurement import ServerReading
from withstand.load.probe.command import CommandProbe
from withstand.load.probe.metrics import MetricsProbe
from withstand.load.probe.process import ProcessProbe
from withstand.load.probe.sample import ProbeError
from withstand.load.profile.profile import ConstantRate
from withstand.load.progress import Progress


@contextmanager
def _endpoint(status: int, body: bytes) -> Iterator[Target]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Target(scheme="http", host="127.0.0.1", port=server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _command(program: str) -> CommandProbe:
    return CommandProbe(f"{shlex.quote(sys.executable)} -c {shlex.quote(program)}")


def test_a_process_is_read_with_its_children() -> None:
    child = "print('ready', flush=True); input()"
    program = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}])"
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        reading = ProcessProbe(process.pid).read()
        process.communicate("\n", timeout=20)

    assert reading.rss_bytes is not None
    assert reading.rss_bytes > 8_000_000
    assert reading.threads == 2
    assert reading.descriptors is not None
    assert reading.descriptors >= 6
    assert reading.cpu_s is not None
    assert reading.cpu_s > 0


def test_descriptors_that_are_opened_are_seen() -> None:
    probe = ProcessProbe(os.getpid())
    before = probe.read().descriptors
    opened = [os.open(os.devnull, os.O_RDONLY) for _ in range(25)]
    after = probe.read().descriptors
    for descriptor in opened:
        os.close(descriptor)

    assert before is not None
    assert after is not None
    assert after - before >= 20


def test_a_process_that_has_ended_but_was_not_waited_for_is_gone() -> None:
    with subprocess.Popen([sys.executable, "-c", ""], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.read()  # until it closes its output
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(ProbeError, match="has ended"):
            ProcessProbe(process.pid).read()


def test_an_endpoint_is_read() -> None:
    with _endpoint(200, b"process_resident_memory_bytes 5e6\n") as host:
        assert MetricsProbe(host, "/metrics").read() == ServerReading(rss_bytes=5_000_000)


def test_an_endpoint_that_refuses_and_one_that_is_not_there_say_so() -> None:
    with _endpoint(403, b"") as host, pytest.raises(ProbeError, match="answers 403"):
        MetricsProbe(host, "/metrics").read()
    with pytest.raises(ProbeError, match="does not answer"):
        MetricsProbe(host, "/metrics").read()


def test_a_command_is_run_and_its_complaint_passed_on() -> None:
    assert _command("print('a header'); print('3.5MiB')").read().rss_bytes == 3_670_016
    with pytest.raises(ProbeError, match=r"ended with 3: no such container"):
        _command("import sys; print('no such container', file=sys.stderr); sys.exit(3)").read()
    with pytest.raises(ProbeError, match="cannot be run"):
        CommandProbe("/no/such/program").read()


@pytest.mark.parametrize("line", ["", "echo 'open"])
def test_a_command_line_that_is_none_is_refused(line: str) -> None:
    with pytest.raises(UsageError):
        CommandProbe(line)


class _Dying:
    """Works twice: when it is tried, and once during the load."""

    hint = "mend it"

    def __init__(self) -> None:
        self.times = 0

    def read(self) -> ServerReading:
        self.times += 1
        if self.times > 2:
            raise ProbeError("its source is gone")
        return ServerReading(rss_bytes=self.times)


def test_a_probe_that_dies_is_said_and_the_load_goes_on(api: Api) -> None:
    profile = ConstantRate(rate_per_s=80, duration_s=0.3)
    measured = run(
        run_load(api.target, api.scenario("/ok"), profile, probe=_Dying(), probe_every_s=0.02)
    )

    assert measured.sent == 24
    assert [sample.rss_bytes for sample in measured.server_samples] == [2]
    assert measured.probe_trouble is not None
    assert "its source is gone" in measured.probe_trouble
    assert "times" in measured.probe_trouble


def test_a_probe_that_never_works_is_refused_before_anything_is_sent(api: Api) -> None:
    probe = _command("print('nonsense')")
    profile = ConstantRate(rate_per_s=40, duration_s=60)

    with pytest.raises(UsageError, match="nonsense"):
        run(run_load(api.target, api.scenario("/ok"), profile, probe=probe))

    assert api.seen().requests == 0


def test_a_slow_probe_does_not_hold_up_the_schedule(api: Api) -> None:
    enough = threading.Event()

    class Slow:
        """Once the load runs, it waits for its end."""

        hint = ""

        def __init__(self) -> None:
            self.tried = False

        def read(self) -> ServerReading:
            if self.tried:
                assert enough.wait(20)
            self.tried = True
            return ServerReading(rss_bytes=1)

    def observed(progress: Progress) -> None:
        if progress.completed >= 20:
            enough.set()

    profile = ConstantRate(rate_per_s=160, duration_s=0.3)
    measured = run(
        run_load(
            *(api.target, api.scenario("/ok"), profile),
            probe=Slow(),
            probe_every_s=0.02,
            observer=observed,
        )
    )

    assert enough.is_set(), "requests were answered while the probe was waiting"
    assert measured.sent == 48
