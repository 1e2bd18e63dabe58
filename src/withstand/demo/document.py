"""The OpenAPI document, where the framework's own is not exact enough."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from withstand.demo.problems import Problem

TITLE = "Withstand demo shop"
VERSION = "1.0.0"
DESCRIPTION = "A small shop to try load and security tests on. It holds no real data."


def describe(app: FastAPI) -> None:
    """Gives this app its document, made once, at the first request for it."""

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            made = get_openapi(
                title=TITLE, version=VERSION, description=DESCRIPTION, routes=app.routes
            )
            made["components"]["schemas"] |= _problem_schemas()
            app.openapi_schema = made
        return app.openapi_schema

    app.openapi = document  # type: ignore[method-assign]  # the framework's documented way


def _problem_schemas() -> dict[str, Any]:
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    parts: dict[str, Any] = problem.pop("$defs")
    return {"Problem": problem, **parts}
