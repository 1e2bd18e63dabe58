"""What is tried: whatever reads, and what writes only when somebody says so."""

from withstand.openapi.document import read_document
from withstand.openapi.operation import Api
from withstand.slo import Objective, parse_objective
from withstand.slo.trial_plan import left_to_load, trial_plan


def api(*keys: str) -> Api:
    paths: dict[str, dict[str, object]] = {}
    for key in keys:
        method, path = key.split()
        paths.setdefault(path, {})[method.lower()] = {"responses": {"200": {"description": "ok"}}}
    document = {"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths}
    return read_document(repr(document).replace("'", '"').encode(), source="x")


def promised(**objectives: tuple[str, ...]) -> list[Objective]:
    return [
        parse_objective(text, operation=operation)
        for operation, texts in objectives.items()
        for text in texts
    ]


SHOP = api("GET /orders", "POST /orders", "DELETE /orders", "GET /health")


def test_the_closest_pattern_says_what_an_operation_is_tried_by() -> None:
    plan = trial_plan(
        SHOP, promised(**{"*": ("p95<1s", "errors<1%"), "GET /orders": ("p95<100ms",)})
    )
    assert {key: [each.text for each in found] for key, found in plan.objectives.items()} == {
        "GET /orders": ["errors<1%", "p95<100ms"],
        "GET /health": ["p95<1s", "errors<1%"],
    }


def test_what_writes_is_tried_when_its_method_is_named() -> None:
    plan = trial_plan(SHOP, promised(**{"*": ("p95<1s",), "POST *": ("errors<1%",)}))
    assert list(plan.objectives) == ["GET /orders", "POST /orders", "GET /health"]
    assert [each.text for each in plan.objectives["POST /orders"]] == ["p95<1s", "errors<1%"]
    assert plan.left_out == {"DELETE /orders": "it writes, and no objective names its method"}


def test_a_path_alone_names_no_method() -> None:
    plan = trial_plan(SHOP, promised(**{"/orders": ("p95<1s",)}))
    assert list(plan.objectives) == ["GET /orders"]
    assert set(plan.left_out) == {"POST /orders", "DELETE /orders"}


def test_what_only_a_load_can_judge_is_left_to_it() -> None:
    texts = ("p95<1s", "max<2s", "rps>10", "avg<1s", "memory_growth<1MB", "p99<1s over 10s")
    objectives = promised(**{"*": texts})
    assert [each.text for each in left_to_load(objectives)] == [
        *("max<2s", "rps>10", "avg<1s", "memory_growth<1MB", "p99<1s over 10s"),
    ]
    assert [each.text for each in trial_plan(SHOP, objectives).objectives["GET /health"]] == [
        "p95<1s"
    ]
