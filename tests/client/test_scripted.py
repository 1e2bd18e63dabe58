"""The shipped double of the transport."""

import asyncio

from withstand.client.exchange import Failure, FailureKind, Request, Response
from withstand.client.scripted import START_UNIX_S, Late, Scripted
from withstand.client.target import Target
from withstand.client.transport import Transport

ELSEWHERE = Target(scheme="http", host="127.0.0.1", port=80)


def echo(request: Request) -> Response:
    return Response(status=200, body=request.path.encode())


def test_every_request_goes_to_the_function_and_every_exchange_is_recorded() -> None:
    scripted = Scripted(echo)
    transport: Transport = scripted

    async def main() -> None:
        one = await transport.send(Request(method="GET", path="/1"), fresh=True)
        burst = await transport.burst([Request(method="GET", path=f"/{n}") for n in (2, 3)])
        assert [exchange.status for exchange in (one, *burst)] == [200] * 3
        assert [one, *burst] == scripted.exchanges
        await transport.close()

    asyncio.run(main())
    paths = [exchange.response.text for exchange in scripted.exchanges if exchange.response]
    assert paths == ["/1", "/2", "/3"]


def test_time_passes_only_in_pauses() -> None:
    async def main() -> None:
        transport = Scripted(echo)
        assert transport.unix_time_s() == START_UNIX_S
        await transport.pause(3_600.5)
        assert transport.unix_time_s() == START_UNIX_S + 3_600.5
        exchange = await transport.send(Request(method="GET", path="/"))
        assert exchange.timing.sent_ns == 3_600_500_000_000
        assert exchange.timing.response_time_ns == 0

    asyncio.run(main())


def test_another_target_is_served_by_its_own_function_or_refuses() -> None:
    async def main() -> None:
        request = Request(method="GET", path="/")
        transport = Scripted(echo, plain=lambda _request: Response(status=308))
        assert (await transport.send(request, to=ELSEWHERE)).status == 308
        alone = await Scripted(echo).send(request, to=ELSEWHERE)
        assert isinstance(alone.outcome, Failure)
        assert alone.outcome.kind is FailureKind.REFUSED
        assert alone.timing.first_byte_ns is None

    asyncio.run(main())


def test_a_late_response_takes_its_time() -> None:
    def slow(_request: Request) -> Response:
        return Late(status=200, after_s=2.5)

    async def main() -> None:
        transport = Scripted(slow)
        exchange = await transport.send(Request(method="GET", path="/"))
        assert exchange.timing.service_time_ns == 2_500_000_000
        assert transport.unix_time_s() == START_UNIX_S + 2.5

    asyncio.run(main())
