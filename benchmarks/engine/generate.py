"""One run of Withstand's engine with a declarative scenario, as a process of its own.

It prints JSON with what it measured.

    python benchmarks/engine/generate.py closed http://127.0.0.1:8080 --seconds 6 --mix
    python benchmarks/engine/generate.py open http://127.0.0.1:8080 --seconds 6 --rate 20000
"""

import argparse
import json
import random
import sys

from withstand.client.exchange import Request
from withstand.client.loop import run
from withstand.client.target import parse_target
from withstand.load.engine.run import run_load
from withstand.load.measurement import LoadMeasurement
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.profile.rhythm import parse_think_time
from withstand.load.scenario.scenario import Plan, Scenario, scenario_from_requests
from withstand.stats.histogram import Histogram, merged

ENDPOINTS = 20
IDENTITIES = 8


def weights() -> list[int]:
    """The weights of the mix; wrk's script has the same."""
    draw = random.Random(1)  # noqa: S311 - a repeatable draw
    return [draw.randint(1, 10) for _ in range(ENDPOINTS)]


def path(index: int) -> str:
    """The path of an endpoint of the mix."""
    return f"/api/v1/resource{index}?page={index}"


def token(identity: int) -> str:
    """The credential of an identity of the mix."""
    return f"Bearer token-{identity:032d}"


def mix(base_url: str) -> Scenario:
    """20 weighted operations, each with the credentials of 8 identities."""
    plans = [
        Plan(
            operation=f"GET /api/v1/resource{index}",
            requests=tuple(
                Request(
                    method="GET", path=path(index), headers=(("Authorization", token(identity)),)
                )
                for identity in range(IDENTITIES)
            ),
            weight=weight,
        )
        for index, weight in enumerate(weights())
    ]
    return scenario_from_requests(plans, parse_target(base_url))


def single(base_url: str, path: str) -> Scenario:
    """One GET."""
    request = Request(method="GET", path=path)
    return scenario_from_requests([(f"GET {path}", request)], parse_target(base_url))


def quantiles_us(histogram: Histogram) -> dict[str, float | None]:
    """The usual quantiles in microseconds."""
    found = {f"p{q * 100:g}": histogram.quantile(q) for q in (0.5, 0.9, 0.99, 0.999)}
    found["max"] = histogram.maximum
    return {name: None if value is None else value / 1000 for name, value in found.items()}


def summary(measured: LoadMeasurement) -> dict[str, object]:
    """What the benchmarks read."""
    operations = measured.operations.values()
    return {
        "requests": sum(operation.requests for operation in operations),
        "errors": sum(operation.errors for operation in operations),
        "offered": measured.offered,
        "sent": measured.sent,
        "late": measured.late,
        "duration_s": measured.duration_s,
        "cpu_share": measured.generator.cpu_share,
        "response_us": quantiles_us(merged(operation.response_time for operation in operations)),
        "send_lag_us": quantiles_us(measured.generator.send_lag),
        "saturated": measured.generator.saturated,
    }


def main() -> None:
    """Run once."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", choices=("closed", "open"))
    parser.add_argument("base_url")
    parser.add_argument("--path", default="/users")
    parser.add_argument("--mix", action="store_true")
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--users", type=int, default=50)
    parser.add_argument("--spawn-rate", type=float)
    parser.add_argument("--think-time", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--rate", type=float, default=20_000)
    parser.add_argument("--ca-file")
    options = parser.parse_args()
    profile: Profile
    if options.model == "closed":
        profile = Closed(
            users=options.users,
            duration_s=options.seconds,
            spawn_rate_per_s=options.spawn_rate,
            rhythm=parse_think_time(f"{options.think_time:g}s"),
        )
    else:
        profile = ConstantRate(rate_per_s=options.rate, duration_s=options.seconds)
    target = parse_target(options.base_url, ca_file=options.ca_file)
    scenario = mix(options.base_url) if options.mix else single(options.base_url, options.path)
    measured = run(run_load(target, scenario, profile))
    json.dump(summary(measured), sys.stdout)


if __name__ == "__main__":
    main()
