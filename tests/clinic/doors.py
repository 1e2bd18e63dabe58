"""Who may come in: the session's user, their role, and pages for those who may not."""

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from flask import abort, g, request

from tests.clinic.clinic import clinic, planted, store
from tests.clinic.sessions import COOKIE
from tests.clinic.store import Row

P = ParamSpec("P")
R = TypeVar("R")


def visitor() -> Row | None:
    """The user whose session the request belongs to; None for an anonymous request."""
    if "visitor" not in g:
        key = request.cookies.get(COOKIE, "")
        if not key and planted("session-in-address"):
            key = request.args.get("session", "")
        user_id = clinic().sessions.user_id(key)
        found = store().row("select * from users where id = ?", user_id) if user_id else None
        g.visitor = found
    known: Row | None = g.visitor
    return known


def me() -> Row:
    """The logged-in user; a 401 page for everybody else."""
    user = visitor()
    if user is None:
        abort(401)
    return user


def only(*roles: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Lets logged-in users of these roles in (without roles: all); 401 and 403 pages for others."""

    def guarded(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def entered(*args: P.args, **kwargs: P.kwargs) -> R:
            user = me()
            if roles and user["role"] not in roles:
                abort(403)
            return view(*args, **kwargs)

        return entered

    return guarded
