"""Redirects to another spelling of an address are followed, with method, body and credentials."""

import asyncio

import pytest

from tests.scan.checks.tiny_api import scanned
from withstand.client.exchange import Exchange, Request, Response
from withstand.client.scripted import Scripted
from withstand.client.target import parse_target
from withstand.errors import UsageError
from withstand.scan.catalogue import check_named
from withstand.scan.examples import BEARER, UNAUTHENTICATED, answer, body, caller, operation, sent
from withstand.scan.wire.courier import Budget, Courier

TARGET = parse_target("http://127.0.0.1:9")
TEXT = {"type": "string"}


def carried(location: str, status: int, request: Request) -> tuple[Exchange, list[Request]]:
    """The exchange as a check gets it where `/orders` redirects, and all that was sent."""

    def server(request: Request) -> Response:
        if request.operation_path == "/orders":
            return Response(status=status, headers=(("Location", location),))
        return answer(200, {"path": request.path})

    transport = Scripted(server)
    courier = Courier(transport, Budget(), target=TARGET)

    return asyncio.run(courier.send(request)), [each.request for each in transport.exchanges]


def write(method: str = "POST", path: str = "/orders?dry=1") -> Request:
    return Request(
        method=method, path=path, headers=(("Authorization", "Bearer a"),), body=b'{"note": "x"}'
    )


@pytest.mark.parametrize("location", ["/orders/", "http://127.0.0.1:9/orders/", "/v1/orders"])
@pytest.mark.parametrize("status", [301, 307, 308])
def test_a_write_is_sent_again_where_the_redirect_spells_the_same_address(
    location: str, status: int
) -> None:
    exchange, requests = carried(location, status, write())
    path = location.removeprefix("http://127.0.0.1:9")
    assert exchange.status == 200
    assert requests[-1] == exchange.request == write(path=f"{path}?dry=1")


def test_the_next_request_goes_to_the_spelling_that_is_known_and_bursts_do_too() -> None:
    transport = Scripted(
        lambda request: (
            answer(200, {})
            if request.operation_path.endswith("/")
            else Response(status=307, headers=(("Location", "/orders/"),))
        )
    )
    courier = Courier(transport, Budget(), target=TARGET)

    async def journey() -> None:
        await courier.send(write())
        await courier.send(write())
        await courier.burst([write(), write()])

    asyncio.run(journey())
    first, *others = (each.request.path for each in transport.exchanges)
    assert (first, others) == ("/orders?dry=1", ["/orders/?dry=1"] * 4)


@pytest.mark.parametrize(
    ("location", "status"),
    [
        ("https://evil.example/orders/", 308),
        ("https://127.0.0.1:9/orders/", 308),
        ("//evil.example/orders/", 307),
        ("/login?next=/orders", 307),
        ("/", 307),
        ("/orders/7", 307),
        ("/orders/", 302),
        ("/orders/", 303),
    ],
)
def test_a_redirect_to_another_place_or_host_is_the_answer(location: str, status: int) -> None:
    exchange, requests = carried(location, status, write("PUT"))
    assert exchange.status == status
    assert [each.path for each in requests if each.method == "PUT"] == ["/orders?dry=1"]


def test_a_server_that_redirects_for_ever_is_given_up() -> None:
    def server(request: Request) -> Response:
        path = request.operation_path
        there = path.rstrip("/") if path.endswith("/") else f"{path}/"
        return Response(status=308, headers=(("Location", there),))

    transport = Scripted(server)
    courier = Courier(transport, Budget(), target=TARGET)
    assert asyncio.run(courier.send(write())).status == 308
    assert len(transport.exchanges) == 4


def test_a_flaw_behind_a_redirect_is_found_and_its_curl_line_goes_where_it_is() -> None:
    orders: list[tuple[str, object]] = []

    def server(request: Request) -> Response:
        if not request.operation_path.endswith("/"):
            return Response(status=307, headers=(("Location", f"{request.operation_path}/"),))
        name = caller(request)
        if name is None:
            return UNAUTHENTICATED
        if request.method == "POST":
            orders.append((name, sent(request).get("note")))
            return answer(201, {"id": len(orders)})
        number = request.operation_path.strip("/").rpartition("/")[2]
        if number.isdecimal() and 0 < int(number) <= len(orders):
            return answer(200, {"id": int(number), "note": orders[int(number) - 1][1]})
        return answer(404, {"error": "no such order"})

    paths = {
        "/orders": {"post": operation(requestBody=body(note=TEXT), security=BEARER)},
        "/orders/{id}": {"get": operation(parameters=(("path", "id"),))},
    }
    record, _ = scanned(server, paths, checks=(check_named("object-readable-by-other-user"),))
    [finding] = record.findings
    for shown in finding.evidence:
        path = shown.exchange.request.operation_path
        assert path.endswith("/")
        assert f"http://127.0.0.1:9{path}" in shown.curl


def test_a_base_url_that_only_leads_to_https_is_a_mistake_with_a_remedy() -> None:
    def server(request: Request) -> Response:
        where = (("Location", f"https://127.0.0.1{request.path}"),)
        return Response(status=301, headers=where)

    with pytest.raises(UsageError, match="only redirects to https://"):
        scanned(server, {"/orders": {"get": operation()}}, checks=())
