"""Refusals and failures: RFC 9457 problem details that say what to change and nothing internal."""

import logging
import re
from collections.abc import Mapping
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.responses import JSONResponse

from withstand.demo.shop import Shop

log = logging.getLogger("withstand.demo")

PROBLEM_MEDIA_TYPE = "application/problem+json"

_MAX_ERRORS = 20
_PLAIN_NAME = re.compile(r"\w{1,40}", re.ASCII)


class InputError(BaseModel):
    where: Annotated[str, Field(examples=["body.email"])]
    problem: Annotated[str, Field(examples=["Field required"])]


class Problem(BaseModel):
    """RFC 9457 problem details."""

    title: str
    status: int
    detail: str | None = None
    errors: list[InputError] | None = None


_DESCRIPTIONS = {
    401: "The token is missing, expired or not valid.",
    403: "The caller's role does not allow this.",
    404: "There is no such thing, or it is not the caller's.",
    409: "The present state does not allow this.",
    413: "The body is larger than 64 KiB.",
    422: "The input is not as described; `errors` says where.",
    429: "Too many wrong passwords for this account.",
}
_HEADERS = {
    401: {"WWW-Authenticate": "The scheme to authenticate with."},
    429: {"Retry-After": "Seconds until the account may be tried again."},
}


def documented(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The entries for these refusals in an operation's `responses`."""
    return {
        status: {
            "description": _DESCRIPTIONS[status],
            "headers": {
                name: {
                    "description": text,
                    "schema": {"type": "integer" if name == "Retry-After" else "string"},
                }
                for name, text in _HEADERS.get(status, {}).items()
            },
            "content": {PROBLEM_MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
        for status in statuses
    }


def problem_response(
    status: int,
    *,
    detail: str | None = None,
    errors: list[dict[str, str]] | None = None,
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    body: dict[str, object] = {"title": HTTPStatus(status).phrase, "status": status}
    if detail:
        body["detail"] = detail
    if errors:
        body["errors"] = errors
    return JSONResponse(body, status, headers, media_type=PROBLEM_MEDIA_TYPE)


def unauthenticated(detail: str) -> HTTPException:
    return HTTPException(401, detail, headers={"WWW-Authenticate": "Bearer"})


def not_found() -> HTTPException:
    return HTTPException(404, "There is no such thing here.")


def answer_problems(app: FastAPI) -> None:
    """Makes every refusal of this app a problem response."""
    app.add_exception_handler(StarletteHTTPException, _refused)
    app.add_exception_handler(RequestValidationError, _invalid)


async def _refused(_: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, StarletteHTTPException)
    if error.status_code == HTTPStatus.BAD_REQUEST:
        # The framework's answer to a body nested too deeply or not in UTF-8: invalid input as any.
        return problem_response(422, detail="The body cannot be read as JSON.")
    phrase = HTTPStatus(error.status_code).phrase
    detail = error.detail if error.detail != phrase else None
    return problem_response(error.status_code, detail=detail, headers=error.headers)


async def _invalid(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    shop: Shop = request.app.state.shop
    if shop.planted.has("nul-byte-crash"):
        _log_to_c_library(error)
    # The refused value itself is left out: it may be a password.
    errors = [
        {"where": _where(found["loc"]), "problem": str(found["msg"])}
        for found in error.errors()[:_MAX_ERRORS]
    ]
    return problem_response(422, detail="The input is not as described.", errors=errors)


def _where(location: tuple[str | int, ...]) -> str:
    # Names come from the caller when they are unknown properties: repeat only harmless ones.
    return ".".join(
        str(part) if _PLAIN_NAME.fullmatch(str(part)) else "(unknown)" for part in location
    )


def _log_to_c_library(error: RequestValidationError) -> None:
    """The flaw "nul-byte-crash": refused input is handed, as it came, to something written in C."""
    for found in error.errors():
        if "\x00" in str(found.get("input")):
            raise ValueError("embedded null character")
