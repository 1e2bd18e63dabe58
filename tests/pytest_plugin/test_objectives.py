"""Keywords become objectives."""

import pytest

from withstand.pytest_plugin.objectives import parse_objectives


@pytest.mark.parametrize(
    ("keywords", "texts"),
    [
        ({"p50": 10}, ["p50<10ms"]),
        ({"p5": "1.5s"}, ["p5<1.5s"]),
        ({"p90_ms": 0.5}, ["p90<500us"]),
        ({"p975": "200ms"}, ["p97.5<200ms"]),
        ({"p999": "1s", "p99": 200}, ["p99.9<1s", "p99<200ms"]),
        ({"max_error_rate": "1%"}, ["errors<1%"]),
        ({"max_error_rate": 0.001, "p95": 1}, ["errors<0.1%", "p95<1ms"]),
        ({"max_error_rate": 0}, ["errors=0%"]),
    ],
)
def test_a_keyword_is_an_objective(keywords: dict[str, object], texts: list[str]) -> None:
    found = parse_objectives(keywords)
    assert [objective.text for objective in found.values()] == texts
    assert list(found) == [objective.name for objective in found.values()]
