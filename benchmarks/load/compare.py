"""The load engine and wrk, side by side against the same nginx on this machine.

nginx has one core, the generators take turns on another, A B A B, and the server counts what it
answered. CPU time per request is the figure to trust on a shared machine; requests per second mean
something only where the generator's or the server's core was busy throughout.

    python benchmarks/load/compare.py --rounds 5 --seconds 6
"""

# ruff: noqa: S310, S603, S607, T201 - it starts nginx and wrk, asks loopback, and prints a table

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from generate import ENDPOINTS, IDENTITIES, path, token, weights

HERE = Path(__file__).parent
PORT = 8810
BASE_URL = f"http://127.0.0.1:{PORT}"
SERVER_CPU, GENERATOR_CPU = 0, 1

NGINX = """
worker_processes 1;
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
  uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
  server {{
    listen 127.0.0.1:{port};
    location = /status {{ stub_status; }}
    location / {{
      default_type application/json;
      return 200 '{{"id":1,"email":"a@example.com","role":"user"}}';
    }}
  }}
}}
"""

# The same work as the mix of generate.py: weighted requests, credentials, statuses counted.
LUA = """
local order, turn, statuses = {{ {order} }}, 0, {{}}
local heads, tokens = {{ {paths} }}, {{ {tokens} }}
request = function()
  turn = turn + 1
  local path = heads[order[turn % #order + 1]]
  return "GET " .. path .. " HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nUser-Agent: wrk\\r\\n"
    .. "Authorization: " .. tokens[turn % #tokens + 1] .. "\\r\\n\\r\\n"
end
response = function(status, headers, body)
  statuses[status] = (statuses[status] or 0) + 1
end
"""


@dataclass(frozen=True)
class Round:
    """One run of one generator."""

    requests_per_s: float
    cpu_us: float
    generator_busy: float
    server_busy: float
    note: str = ""


@contextmanager
def nginx() -> Iterator[int]:
    """A server on its own core; its worker's process id."""
    folder = tempfile.mkdtemp(prefix="withstand-bench-")
    config = Path(folder, "nginx.conf")
    config.write_text(NGINX.format(folder=folder, port=PORT))
    command = ["taskset", "-c", str(SERVER_CPU), "nginx", "-c", str(config), "-p", folder]
    master = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 10
        while True:
            try:
                answered()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
        children = Path(f"/proc/{master.pid}/task/{master.pid}/children").read_text()
        yield int(children.split()[0])
    finally:
        master.send_signal(signal.SIGTERM)
        master.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def answered() -> int:
    """How many requests nginx has answered."""
    with urllib.request.urlopen(f"{BASE_URL}/status", timeout=5) as response:
        return int(re.findall(r"[0-9]+", response.read().decode())[3])


def cpu_s(pid: int) -> float:
    """User and system time of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def measured(command: Sequence[str], seconds: float, server: int) -> Round:
    """One run, by the server's count and the kernel's accounting."""
    before, server_before = answered(), cpu_s(server)
    process = subprocess.Popen(
        ["taskset", "-c", str(GENERATOR_CPU), *command], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{command} ended with {process.returncode}")
    requests = answered() - before - 1
    used_s = usage.ru_utime + usage.ru_stime
    note = ""
    if output.startswith("{"):
        report = json.loads(output)
        used_s -= START_UP_S
        note = f"own count {report['requests']:,}, nginx {requests:,}; {report['saturated'] or ''}"
    return Round(
        requests_per_s=requests / seconds,
        cpu_us=used_s / requests * 1e6,
        generator_busy=used_s / seconds,
        server_busy=(cpu_s(server) - server_before) / seconds,
        note=note,
    )


def start_up_s() -> float:
    """CPU time that the interpreter and the imports take, which is no part of a request."""
    before = os.times()
    code = "import sys; sys.path.insert(0, sys.argv[1]); import generate"
    subprocess.run([sys.executable, "-c", code, str(HERE)], check=True)
    after = os.times()
    return after.children_user + after.children_system - before[2] - before[3]


def wrk_script(folder: Path) -> Path:
    """The mix for wrk."""
    order = [index + 1 for index, weight in enumerate(weights()) for _ in range(weight)]
    script = folder / "mix.lua"
    script.write_text(
        LUA.format(
            order=", ".join(map(str, order)),
            paths=", ".join(f'"{path(index)}"' for index in range(ENDPOINTS)),
            tokens=", ".join(f'"{token(identity)}"' for identity in range(IDENTITIES)),
        )
    )
    return script


def main() -> None:
    """Run all, interleaved, and print the medians and ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6)
    options = parser.parse_args()
    seconds = f"{options.seconds:g}"
    ours = [sys.executable, str(HERE / "generate.py")]
    with tempfile.TemporaryDirectory() as folder, nginx() as server:
        wrk = ["wrk", "-t1", "-c50", f"-d{seconds}s"]
        script = wrk_script(Path(folder))
        commands = {
            "wrk, one GET": [*wrk, f"{BASE_URL}/users"],
            "withstand, one GET": [*ours, "closed", BASE_URL, "--seconds", seconds],
            "wrk with Lua, mix": [*wrk, "-s", str(script), BASE_URL],
            "withstand, mix": [*ours, "closed", BASE_URL, "--seconds", seconds, "--mix"],
        }
        rounds: dict[str, list[Round]] = {name: [] for name in commands}
        for number in range(options.rounds):
            for name, command in commands.items():
                result = measured(command, options.seconds, server)
                rounds[name].append(result)
                print(
                    f"{number + 1} {name:20} {result.requests_per_s:9,.0f}/s"
                    f" {result.cpu_us:6.1f} us  generator {result.generator_busy:4.0%}"
                    f" server {result.server_busy:4.0%}  {result.note}",
                    flush=True,
                )
        for rate in (200, 2_000, 20_000):
            command = [*ours, "open", BASE_URL, "--seconds", seconds, "--rate", str(rate)]
            output = subprocess.run(
                ["taskset", "-c", str(GENERATOR_CPU), *command],
                check=True,
                capture_output=True,
                text=True,
            ).stdout
            print(f"open {rate:,}/s: {output}", flush=True)
    print_summary(rounds)


def print_summary(rounds: dict[str, list[Round]]) -> None:
    """Medians of every generator, and ours over wrk's for the same work."""
    print("\n| generator | CPU us/request, median (min-max) | requests/s, median | best |")
    print("|---|---|---|---|")
    for name, results in rounds.items():
        cpu = [result.cpu_us for result in results]
        rate = [result.requests_per_s for result in results]
        print(
            f"| {name} | {statistics.median(cpu):.1f} ({min(cpu):.1f}-{max(cpu):.1f}) "
            f"| {statistics.median(rate):,.0f} | {max(rate):,.0f} |"
        )
    for theirs, ours in (
        ("wrk, one GET", "withstand, one GET"),
        ("wrk with Lua, mix", "withstand, mix"),
    ):
        # Round by round, so that both saw the same machine.
        pairs = list(zip(rounds[theirs], rounds[ours], strict=True))
        faster = statistics.median(b.requests_per_s / a.requests_per_s for a, b in pairs)
        cheaper = statistics.median(a.cpu_us / b.cpu_us for a, b in pairs)
        print(
            f"{ours}: {faster:.2f} x wrk in requests/s, {cheaper:.2f} x in requests per CPU second"
        )


START_UP_S = start_up_s()

if __name__ == "__main__":
    main()
