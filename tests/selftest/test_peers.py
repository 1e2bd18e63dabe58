"""What other load generators print, read as they mean it."""

import json
import shutil

import pytest

from withstand.errors import UsageError
from withstand.selftest.experiment_peer import executable, peer_stalls
from withstand.selftest.peers import PEERS, Attack, peer_named
from withstand.selftest.plan import SelfTest
from withstand.selftest.truth import StallPattern

ATTACK = Attack(url="http://127.0.0.1:1/users", rate_per_s=200, seconds=30, connections=10)
MS = 1_000_000

WRK = """\
Running 1s test @ http://127.0.0.1:1/users
  1 threads and 10 connections
  6000 requests in 30.00s, 0.97MB read
Requests/sec:    200.00
quantile 0.5 67 us
quantile 0.9 238600 us
quantile 0.999 995000 us
"""
WRK2 = """\
  Latency Distribution (HdrHistogram - Recorded Latency)
 50.000%    1.08ms
 99.900%    0.99s

  Detailed Percentile spectrum:
       Value   Percentile   TotalCount 1/(1-Percentile)

       0.061     0.000000            1         1.00
       1.080     0.500000         3001         2.00
     502.783     0.900000         5400        10.00
     752.639     0.950000         5700        20.00
     951.295     0.990625         5944       106.67
     994.303     0.999023         5995      1024.00
#[Mean    =      100.500, StdDeviation   =      243.000]
  6000 requests in 30.00s, 1.02MB read
"""
HEY = """\
Latency distribution:
  10%% in 0.0002 secs
  50%% in 0.0003 secs
  90%% in 0.0006 secs
  95%% in 0.0022 secs
  99%% in 0.9840 secs

Status code distribution:
  [200]\t4900 responses
  [500]\t20 responses
"""
AB = """\
Complete requests:      325000
Failed requests:        0

Percentage of the requests served within a certain time (ms)
  50%      0
  90%      1
  95%      4
  99%     12
 100%    998 (longest request)
"""
VEGETA = json.dumps(
    {
        "latencies": {"50th": 270_000, "90th": 507_100_000, "95th": 1, "99th": 2, "max": 3},
        "requests": 6000,
    }
)
K6 = json.dumps(
    {
        "http_req_duration": {"values": {"p(50)": 0.12, "p(99)": 953.5, "p(99.9)": 996}},
        "http_reqs": {"values": {"count": 5850}},
    }
)


@pytest.mark.parametrize(
    ("name", "output", "quantiles_ms", "requests"),
    [
        ("wrk", WRK, {0.5: 0.067, 0.9: 238.6, 0.999: 995}, 6000),
        (
            "wrk2",
            WRK2,
            {0.5: 1.08, 0.9: 502.783, 0.95: 752.639, 0.99: 951.295, 0.999: 994.303},
            6000,
        ),
        ("hey", HEY, {0.1: 0.2, 0.5: 0.3, 0.9: 0.6, 0.95: 2.2, 0.99: 984}, 4920),
        ("ab", AB, {0.5: 0, 0.9: 1, 0.95: 4, 0.99: 12, 1.0: 998}, 325_000),
        ("vegeta", VEGETA, {0.5: 0.27, 0.9: 507.1, 0.95: 1e-6, 0.99: 2e-6}, 6000),
        ("k6", K6, {0.5: 0.12, 0.99: 953.5, 0.999: 996}, 5850),
    ],
)
def test_the_output_of_a_peer_is_read(
    name: str, output: str, quantiles_ms: dict[float, float], requests: int
) -> None:
    said = PEERS[name].read(output)
    assert said.requests == requests
    assert said.quantiles_ns == pytest.approx({q: ms * MS for q, ms in quantiles_ms.items()})


def test_a_peer_is_given_the_whole_rate_whatever_its_flag_means() -> None:
    commands = {name: PEERS[name].job(ATTACK).commands[0] for name in PEERS}
    assert "-R200" in commands["wrk2"]
    assert commands["hey"][commands["hey"].index("-q") + 1] == "20"  # for each of 10 workers
    assert "-rate=200/1s" in commands["vegeta"]
    assert "rate: 200" in PEERS["k6"].job(ATTACK).files["script.js"]
    assert all(any("127.0.0.1:1/users" in part for part in (*commands[name], *files.values()))
               for name in PEERS for files in [PEERS[name].job(ATTACK).files])  # fmt: skip


def test_a_tool_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(UsageError, match="known are ab, hey, k6, vegeta, wrk, wrk2"):
        peer_named("siege")


def test_a_tool_that_is_not_installed_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(UsageError, match="k6 is not on the PATH"):
        executable(PEERS["k6"])


@pytest.mark.skipif(shutil.which("wrk") is None, reason="wrk is not installed")
def test_a_real_peer_is_put_to_the_stalls_and_its_count_is_the_servers() -> None:
    plan = SelfTest(pattern=StallPattern(every_s=0.5, stall_s=0.2), periods=2)
    section = peer_stalls(plan, PEERS["wrk"], connections=4)
    assert section.peer == "wrk"
    figures = {row.what: row for row in section.rows}
    assert None not in {figures[name].reported for name in ("p50", "p95", "p99.9")}
    assert figures["requests sent"].agreement == "agrees"
