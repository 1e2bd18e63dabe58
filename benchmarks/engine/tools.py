"""How each generator is asked for each kind of work, and where it prints its own count."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from contest import Contestant
from generate import ENDPOINTS, IDENTITIES, path, token, weights

HERE = Path(__file__).parent
CONNECTIONS = 50

# The same work as the mix of generate.py: weighted requests, credentials, statuses counted. A
# histogram for each operation, timeouts and time to first byte it does not do.
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

K6 = """
import http from "k6/http";
import {{ check }} from "k6";
const paths = {paths}, order = {order}, tokens = {tokens};
let turn = 0;
export const options = {{ vus: {connections}, duration: "{seconds}s" }};
export default function () {{
  turn += 1;
  const index = order[turn % order.length];
  const headers = {{ Authorization: tokens[turn % tokens.length] }};
  const tags = {{ name: `GET ${{index}}` }};
  const answer = http.get("{url}" + paths[index], {{ headers, tags }});
  check(answer, {{ ok: (r) => r.status === 200 }});
}}
"""


def _number(pattern: str) -> Callable[[str], int | None]:
    def read(text: str) -> int | None:
        found = re.search(pattern, text)
        return int(found[1]) if found else None

    return read


def wrk(url: str, *, name: str = "wrk", script: Path | None = None) -> Contestant:
    """wrk, with a Lua script or without."""
    extra = ["-s", str(script)] if script else []
    return Contestant(
        name,
        lambda seconds: ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", *extra, url],
        _number(r"(\d+) requests in "),
    )


def wrk2(url: str) -> Contestant:
    """wrk2 at a rate that nobody reaches: it has no other way to send flat out."""
    command = ["wrk2", "-t1", f"-c{CONNECTIONS}", "-R1000000"]
    return Contestant(
        "wrk2 -R1000000",
        lambda seconds: [*command, f"-d{seconds}s", url],
        _number(r"(\d+) requests in "),
    )


def ab(url: str) -> Contestant:
    """ApacheBench with keep-alive."""
    command = ["ab", "-q", "-k", "-c", str(CONNECTIONS)]
    return Contestant(
        "ab -k",
        lambda seconds: [*command, "-t", str(seconds), "-n", "20000000", url],
        _number(r"Complete requests:\s+(\d+)"),
    )


def hey(url: str, *, header: str | None = None) -> Contestant:
    """hey, which sends one request only."""
    extra = ["-H", header] if header else []

    def count(text: str) -> int | None:
        counts = re.findall(r"^\s+\[\d+\]\s+(\d+) responses", text, re.M)
        return sum(map(int, counts)) if counts else None

    return Contestant(
        "hey",
        lambda seconds: ["hey", "-z", f"{seconds}s", "-c", str(CONNECTIONS), *extra, url],
        count,
    )


def k6(url: str, script: Path) -> Contestant:
    """k6 with the mix."""

    def command(seconds: int) -> list[str]:
        script.write_text(
            K6.format(
                paths=json.dumps([path(index) for index in range(ENDPOINTS)]),
                order=json.dumps(_order()),
                tokens=json.dumps([token(identity) for identity in range(IDENTITIES)]),
                connections=CONNECTIONS,
                seconds=seconds,
                url=url,
            )
        )
        return ["k6", "run", "--quiet", str(script)]

    return Contestant("k6", command, _number(r"http_reqs\S*:?\s+(\d+)"))


def ours(name: str, url: str, *arguments: str) -> Contestant:
    """Withstand's engine with a declarative scenario."""
    command = [sys.executable, str(HERE / "generate.py"), "closed", url, "--users",
               str(CONNECTIONS), *arguments]  # fmt: skip

    def count(text: str) -> int | None:
        report = json.loads(text)
        if report["errors"]:
            raise ValueError(f"{report['errors']} of its requests failed")
        return int(report["requests"])

    return Contestant(name, lambda seconds: [*command, "--seconds", str(seconds)], count)


def script_command(script: str, url: str) -> list[str]:
    """`withstand load` with a user script of this folder, as a user types it."""
    return [beside_python("withstand"), "load", str(HERE / script), "--host", url, "--quiet"]


def ours_script(name: str, url: str, script: str, folder: Path) -> Contestant:
    """A user script of this folder, without think time."""
    results = folder / f"{Path(script).stem}.json"
    command = [*script_command(script, url), "-u", str(CONNECTIONS), "--json", str(results)]

    def count(_text: str) -> int | None:
        operations = json.loads(results.read_text())["load"]["operations"].values()
        statuses = [number for one in operations for number in one["statuses"].values()]
        failures = [number for one in operations for number in one["failures"].values()]
        return int(sum(statuses) + sum(failures))

    return Contestant(name, lambda seconds: [*command, "-t", f"{seconds}s"], count)


def locust(name: str, url: str, user: str) -> Contestant:
    """The real Locust, headless."""
    command = [beside_python("locust"), "-f", str(HERE / "locustfile.py"), user, "--headless",
               "--json", "-u", str(CONNECTIONS), "-r", str(CONNECTIONS), "-H", url]  # fmt: skip

    def count(text: str) -> int | None:
        return sum(int(entry["num_requests"]) for entry in json.loads(text))

    return Contestant(name, lambda seconds: [*command, "-t", f"{seconds}s"], count, slow_start_s=4)


def wrk_script(folder: Path) -> Path:
    """The mix for wrk."""
    script = folder / "mix.lua"
    script.write_text(
        LUA.format(
            order=", ".join(str(index + 1) for index in _order()),
            paths=", ".join(f'"{path(index)}"' for index in range(ENDPOINTS)),
            tokens=", ".join(f'"{token(identity)}"' for identity in range(IDENTITIES)),
        )
    )
    return script


def on_path(*names: str) -> bool:
    """Whether all of these programs can be had."""
    return all(shutil.which(name) for name in names)


def _order() -> list[int]:
    return [index for index, weight in enumerate(weights()) for _ in range(weight)]


def beside_python(name: str) -> str:
    """A program of the environment that runs this."""
    return str(Path(sys.executable).with_name(name))
