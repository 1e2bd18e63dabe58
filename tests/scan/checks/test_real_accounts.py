"""A scan leaves the accounts and the data of the configured users as they were."""

import itertools
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import all_checks
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, sent

from .tiny_api import ROLES, scanned

TEXT = {"type": "string"}
MAIL = {"type": "string", "format": "email"}
CHECKS = tuple(check for check in all_checks() if check.family == "authorisation")
LOGIN = LoginRecipe(
    method="POST",
    path="/login",
    payload={"email": "{email}", "password": "{password}"},
    token_path="$.token",
)


class People:
    """A server that keeps what is said to each call of `paths`, by who said it.

    `signs_up` says whether strangers may become users.
    """

    def __init__(self, paths: dict[str, Any], *, signs_up: bool = True) -> None:
        self.users: dict[str, str] = {}
        self.called: list[tuple[str, str]] = []
        self.numbers = itertools.count(41)
        credentials = operation(secured=False, requestBody=body(email=MAIL, password=TEXT))
        self.paths = {"/me": {"get": operation()}, "/login": {"post": credentials}, **paths}
        if signs_up:
            self.paths["/register"] = {"post": credentials}

    def __call__(self, request: Request) -> Response:
        fields = sent(request)
        email = str(fields.get("email"))
        if request.path == "/register":
            self.users[email] = str(fields.get("password"))
            return answer(201, {"id": next(self.numbers), "email": email})
        if request.path == "/login":
            known = self.users.get(email) == fields.get("password")
            return answer(200, {"token": email}) if known else answer(401, {"error": "no"})
        token = (request.header("authorization") or "").removeprefix("Bearer ")
        name = caller(request) or (token if token in self.users else None)
        if name is None:
            return UNAUTHENTICATED
        if request.method == "GET":
            return answer(200, {"id": 7, "email": name})
        self.called.append((name, f"{request.method} {request.operation_path}"))
        return answer(200, {"ok": True})

    def real(self) -> set[str]:
        """What the document declares and was called as one of the configured users."""
        declared = {f"{m.upper()} {path}" for path, item in self.paths.items() for m in item}
        return {key for name, key in self.called if name in ROLES and key in declared}


ACCOUNT_CALLS = (
    "POST /rpc/changeEmail",
    "POST /rpc/closeAccount",
    "POST /rpc/saveSettings",
    "POST /rpc/updateMe",
    "POST /settings",
    "PUT /users/current",
    "PUT /user/email",
    "POST /mfa/enable",
    "POST /2fa/disable",
    "POST /account_close.php",
    "DELETE /my-account",
    "POST /index.php?action=change_email",
)


@pytest.mark.parametrize("secured", [True, False])
def test_what_changes_the_account_of_whoever_calls_is_called_by_nobody_who_is_configured(
    secured: bool,
) -> None:
    paths: dict[str, Any] = {}
    for key in ACCOUNT_CALLS:
        method, path = key.split(" ")
        paths[path] = {method.lower(): operation(secured=secured, requestBody=body(nickname=TEXT))}
    people = People(paths)
    scanned(people, people.paths, login=LOGIN, checks=CHECKS)
    assert people.real() == set()
    assert len({key for _, key in people.called}) >= len(ACCOUNT_CALLS) - 1  # they were tried


def test_an_e_mail_address_that_goes_nowhere_else_is_the_callers() -> None:
    paths = {"/rpc/storeContact": {"post": operation(requestBody=body(nickname=TEXT, email=MAIL))}}
    people = People(paths, signs_up=False)
    scanned(people, people.paths, login=LOGIN, checks=CHECKS)
    assert people.real() == set()


def test_what_deletes_all_that_somebody_has_is_called_by_nobody_who_is_configured() -> None:
    plain, empty = operation(), operation(requestBody=body())
    paths = {
        "/parcels": {"delete": plain},
        "/rpc/deleteAllParcels": {"post": empty},
        "/cart": {"delete": plain},
        "/rpc/deleteHistory": {"post": empty},
    }
    people = People(paths)
    scanned(people, people.paths, login=LOGIN, checks=CHECKS)
    assert people.real() == set()
    own = {key for name, key in people.called if name in people.users}
    assert own & {f"{m.upper()} {p}" for p, item in paths.items() for m in item} == {
        "DELETE /cart",
        "POST /rpc/deleteHistory",
    }
