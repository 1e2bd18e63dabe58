"""A scan leaves the accounts and the data of the configured users as they were."""

import itertools
from typing import Any

import pytest

from withstand.client.exchange import Request, Response
from withstand.client.identity import LoginRecipe
from withstand.scan.catalogue import all_checks
from withstand.scan.examples import UNAUTHENTICATED, answer, body, caller, operation, query, sent
from withstand.scan.policy import Profile

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
    "POST /rpc/acceptTerms",
    "POST /rpc/markAllRead",
    "POST /wallet/withdraw",
    "PUT /avatar",
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


ID = {"type": "integer", "minimum": 1}


class Orders:
    """Orders 1 and 2 are real. `makes` says whether more can be made; what changes one is noted."""

    def __init__(self) -> None:
        self.numbers = itertools.count(3)
        self.touched: set[tuple[str, int]] = set()

    def __call__(self, request: Request) -> Response:
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        path = request.operation_path
        if path == "/orders" and request.method == "POST":
            return answer(201, {"id": next(self.numbers)})
        given = sent(request)
        names = ("id", "userId", "order", "orderId")
        told: list[Any] = [*map(given.get, names), *(query(request, name) for name in names)]
        number: Any = next(filter(None, told), None)
        number = next(iter(given.get("ids") or ()), number)
        number = next((part for part in path.split("/") if part.isdecimal()), number)
        if not str(number).isdecimal():
            return answer(200, [{"id": 1, "note": "real"}, {"id": 2, "note": "real"}])
        acts = ("close", "cancel", "refund", "publish")
        if request.method != "GET" or any(word in path for word in acts):
            self.touched.add((path.strip("/").split("/")[0], int(number)))
        return answer(200, {"id": int(number), "note": "real"})


@pytest.mark.parametrize(
    ("path", "method", "made"),
    [
        ("/orders/{id}", "put", True),
        ("/orders/{id}/cancel", "post", True),
        ("/staff/{id}", "patch", False),
        ("/admin/setRole", "post", False),
        ("/rpc/cancelOrder", "post", False),
        ("/order_close.php", "get", False),
        ("/orders/{id}/cancel", "get", True),
        ("/cancel", "get", True),
        ("/orders/refund", "get", False),
        ("/order_publish", "get", False),
        ("/rpc/mergeOrders", "post", False),
        ("/rpc/pay", "post", True),
    ],
)
@pytest.mark.parametrize("creates", [True, False])
def test_only_what_the_scan_made_is_changed(
    path: str, method: str, made: bool, creates: bool
) -> None:
    keys = {"/admin/setRole": "userId", "/rpc/pay": "order", "/rpc/mergeOrders": "ids"}
    keys |= {"/order_publish": "order", "/cancel": "orderId"}
    key = keys.get(path, "id")
    taken = {"type": "array", "items": ID, "minItems": 1} if key == "ids" else ID
    place = "path" if "{" in path else "query"
    picker = {"in": place, "name": "id" if "{" in path else key, "required": True, "schema": ID}
    item = operation()
    if "{" in path or method == "get":
        item["parameters"] = [picker]
    if method != "get":
        item["requestBody"] = body(note=TEXT, **({} if "{" in path else {key: taken}))
    paths: dict[str, Any] = {"/orders": {"get": operation()}, path: {method: item}}
    paths["/staff"] = {"get": operation()}
    if creates:
        paths["/orders"]["post"] = operation(requestBody=body(note=TEXT))
    orders = Orders()
    checks = tuple(check for check in CHECKS if "changeable" in check.name)
    scanned(orders, paths, checks=checks)
    assert {number for _, number in orders.touched} & {1, 2} == set()
    assert bool(orders.touched) or not (made and creates)


def test_a_get_that_acts_is_not_sent_by_the_readonly_profile() -> None:
    item = operation(parameters=(("path", "id"),))
    paths = {"/orders": {"get": operation()}, "/orders/{id}": {"get": item}}
    acting = {"/orders/{id}/cancel": {"get": item}, "/refundOrder": {"get": operation()}}
    orders = Orders()
    _, observed = scanned(
        orders, paths | acting, checks=CHECKS, policy={"profile": Profile.READONLY}
    )
    called = {exchange.request.operation_path for exchange in observed}
    assert "/orders" in called
    assert not any("cancel" in path or "refund" in path for path in called)
