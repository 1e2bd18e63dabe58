"""The listener is called over real sockets, by programs that know HTTP and by some that do not."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar
from urllib.parse import urlsplit

from withstand.client.exchange import Failure, Request, Response
from withstand.client.listener import Unreachable
from withstand.client.loopback_listener import LoopbackListener
from withstand.client.scripted import ScriptedListener
from withstand.client.target import parse_target
from withstand.client.wire import Wire

T = TypeVar("T")


def with_listener(test: Callable[[LoopbackListener], Awaitable[T]]) -> T:
    async def run() -> T:
        async with LoopbackListener() as listener:
            return await test(listener)

    return asyncio.run(run())


async def address_of(listener: LoopbackListener) -> str:
    address = await listener.address()
    assert address is not None
    return address


def test_a_call_is_answered_and_kept_with_its_headers() -> None:
    async def test(listener: LoopbackListener) -> tuple[int | None, tuple[Request, ...]]:
        async with Wire(parse_target(await address_of(listener)), user_agent="fetcher/1") as wire:
            exchange = await wire.send(Request(method="GET", path="/ws1/a.png?b=c"))
        return exchange.status, await listener.calls("/ws1/", 0.0)

    status, (call,) = with_listener(test)
    assert status == 200
    assert (call.method, call.path) == ("GET", "/ws1/a.png?b=c")
    assert call.header("user-agent") == "fetcher/1"


def test_calls_for_other_texts_are_not_handed_out() -> None:
    async def test(listener: LoopbackListener) -> tuple[Request, ...]:
        async with Wire(parse_target(await address_of(listener))) as wire:
            await wire.send(Request(method="GET", path="/favicon.ico"))
        return await listener.calls("ws1", 0.0)

    assert with_listener(test) == ()


def test_whoever_waits_is_told_as_soon_as_a_call_comes() -> None:
    async def test(listener: LoopbackListener) -> tuple[Request, ...]:
        address = await address_of(listener)
        waiting = asyncio.create_task(listener.calls("later", 60.0))
        async with Wire(parse_target(address)) as wire:
            await wire.send(Request(method="POST", path="/sooner"))
            await wire.send(Request(method="POST", path="/later"))
        return await waiting

    (call,) = with_listener(test)
    assert call.path == "/later"


def test_what_is_no_http_is_let_go() -> None:
    async def test(listener: LoopbackListener) -> tuple[Request, ...]:
        parts = urlsplit(await address_of(listener))
        for said in (b"\x16\x03\x01\r\n\r\n", b"hello\r\n\r\n", b"x" * 40_000, b""):
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(said)
            writer.write_eof()
            await reader.read()
            writer.close()
        return await listener.calls("", 0.0)

    assert with_listener(test) == ()


def test_the_address_stays_the_same_and_is_this_machines_only() -> None:
    async def test(listener: LoopbackListener) -> tuple[str, str]:
        return await address_of(listener), await address_of(listener)

    one, other = with_listener(test)
    assert one == other
    assert parse_target(one).is_loopback


def test_nobody_listens_any_more_afterwards() -> None:
    async def test() -> Response | Failure:
        async with LoopbackListener() as listener:
            address = await address_of(listener)
        async with Wire(parse_target(address)) as wire:
            return (await wire.send(Request(method="GET", path="/"))).outcome

    assert isinstance(asyncio.run(test()), Failure)


def test_the_doubles_keep_the_contract() -> None:
    class Server:
        fetched = ("http://127.0.0.1:9090/ws1/x", "http://elsewhere.example/ws1")

        def __call__(self, _request: Request) -> Response:
            return Response(status=200)

    async def test() -> None:
        scripted = ScriptedListener(Server())
        assert await scripted.address() == "http://127.0.0.1:9090"
        (call,) = await scripted.calls("ws1", 5.0)
        assert call.path == "/ws1/x"
        assert await Unreachable().address() is None
        assert await Unreachable().calls("ws1", 5.0) == ()

    asyncio.run(test())
