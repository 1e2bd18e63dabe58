"""The API behind every login: notes that belong to users. Flask, as teams write it."""

import itertools
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request
from werkzeug.exceptions import TooManyRequests

PASSWORDS = {
    "alice@example.com": "alice-keeps-bees-77",
    "bob@example.com": "bob-collects-stamps-3",
    "root@example.com": "root-of-all-evil-99",
}
Who = Callable[[], str | None]
"""The user of the request at hand, None when it has no valid credential."""
Refuse = Callable[[], Any]


@dataclass
class Notebook:
    """What is stored. `leaky` lets everybody who is logged in read every note."""

    leaky: bool = False
    passwords: dict[str, str] = field(default_factory=lambda: dict(PASSWORDS))
    notes: dict[int, tuple[str, str]] = field(default_factory=dict)
    failures: Counter[object] = field(default_factory=Counter)
    ids: Any = field(default_factory=lambda: itertools.count(5301, 7))

    def knows(self, user: object, password: object) -> bool:
        """Whether that is the password; after ten failures for a name nobody learns it."""
        if self.failures[user] >= 10:
            raise TooManyRequests(retry_after=60)
        right = isinstance(user, str) and self.passwords.get(user) == password
        self.failures[user] += not right
        return right


def refuse_401() -> Any:
    return jsonify(error="log in first"), 401


def add_notes(
    app: Flask, book: Notebook, who: Who, refuse: Refuse = refuse_401, base: str = "/api"
) -> None:
    """`/me` and the notes of whoever `who` says is calling."""

    @app.get(f"{base}/me")
    def me() -> Any:
        user = who()
        return refuse() if user is None else {"email": user, "role": "user"}

    @app.get(f"{base}/notes")
    def listed() -> Any:
        user = who()
        if user is None:
            return refuse()
        own = [{"id": n, "text": text} for n, (owner, text) in book.notes.items() if owner == user]
        return {"data": own}

    @app.post(f"{base}/notes")
    def create() -> Any:
        user = who()
        if user is None:
            return refuse()
        body = request.get_json(silent=True)
        text = body.get("text") if isinstance(body, dict) else None
        if not isinstance(text, str) or "\0" in text:
            return jsonify(error="text is missing"), 422
        number = next(book.ids)
        book.notes[number] = (user, text)
        return jsonify(data={"id": number, "text": text}), 201

    @app.route(f"{base}/notes/<int:number>", methods=["GET", "DELETE"])
    def one(number: int) -> Any:
        user = who()
        if user is None:
            return refuse()
        owner, text = book.notes.get(number, (None, ""))
        if owner is None or (owner != user and not (book.leaky and request.method == "GET")):
            return jsonify(error="no such note"), 404
        if request.method == "DELETE":
            del book.notes[number]
            return "", 204
        return jsonify(data={"id": number, "text": text})

    @app.after_request
    def careful(response: Response) -> Response:
        response.headers["X-Content-Type-Options"] = "nosniff"
        response.headers["Cache-Control"] = "no-store"
        return response


def document(
    schemes: dict[str, Any], more: dict[str, Any] | None = None, *, base: str = "/api"
) -> dict[str, Any]:
    """The OpenAPI document of the notes behind these security schemes, and of further paths."""
    security: list[dict[str, list[str]]] = [{name: []} for name in schemes]
    note = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    number = {"name": "id", "in": "path", "required": True, "schema": {"type": "integer"}}

    def operation(**parts: Any) -> dict[str, Any]:
        return {"security": security, "responses": {"200": {"description": "fine"}}, **parts}

    body = {"required": True, "content": {"application/json": {"schema": note}}}
    return {
        "openapi": "3.0.3",
        "info": {"title": "Notebook", "version": "1"},
        "components": {"securitySchemes": schemes},
        "paths": {
            f"{base}/me": {"get": operation()},
            f"{base}/notes": {"get": operation(), "post": operation(requestBody=body)},
            f"{base}/notes/{{id}}": {
                "get": operation(parameters=[number]),
                "delete": operation(parameters=[number]),
            },
            **(more or {}),
        },
    }


def login_operation(media_type: str, *properties: str) -> dict[str, Any]:
    """A documented login with these text properties."""
    texts = {name: {"type": "string"} for name in properties}
    schema = {"type": "object", "properties": texts, "required": list(properties)}
    return {
        "post": {
            "security": [],
            "requestBody": {"required": True, "content": {media_type: {"schema": schema}}},
            "responses": {"200": {"description": "logged in"}},
        }
    }
