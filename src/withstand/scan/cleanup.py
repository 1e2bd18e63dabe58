"""Deleting what the scan created, as the identity that created it."""

from collections.abc import Callable, Iterable
from typing import Final

from withstand.client.exchange import Exchange, Request
from withstand.client.transport import Transport
from withstand.openapi.operation import Api, Operation
from withstand.openapi.resources import deleter_of, identifier_in
from withstand.scan.plan import ScanPlan

_MOST_DELETIONS: Final = 500


async def clean_up(
    plan: ScanPlan,
    transport: Transport,
    observed: Iterable[Exchange],
    *,
    current: Callable[[Request], Request] = lambda request: request,
) -> int:
    """Sends a DELETE for every object that the scan created and can delete. Returns how many.

    `current` puts renewed sessions into a request.
    """
    requests = list(deletions(plan, observed))[:_MOST_DELETIONS]
    for request in requests:
        await transport.send(current(request))
    return len(requests)


def deletions(plan: ScanPlan, observed: Iterable[Exchange]) -> Iterable[Request]:
    """The requests that undo the creations among the exchanges. Pure."""
    producers = _producers(plan.api)
    seen: set[str] = set()
    for exchange in observed:
        response = exchange.response
        if exchange.request.method != "POST" or response is None or not response.succeeded:
            continue
        path = exchange.request.operation_path
        deleter = producers.get(path.removeprefix(plan.target.base_path))
        if deleter is None or plan.policy.forbids(deleter):
            continue
        found = identifier_in(response.json(), deleter.path_parameters[-1].name)
        item = f"{path}/{found}"
        if found is None or item in seen:
            continue
        seen.add(item)
        headers = tuple(
            (name, value)
            for name, value in exchange.request.headers
            if not name.lower().startswith("content-")
        )
        query = exchange.request.path.partition("?")[2]  # it may hold the credential
        yield Request(method="DELETE", path=f"{item}?{query}" if query else item, headers=headers)


def _producers(api: Api) -> dict[str, Operation]:
    """Creating path → the operation that deletes what is created there."""
    found = {}
    for operation in api.operations:
        deleter = deleter_of(api, operation) if operation.method == "POST" else None
        if deleter is not None and len(deleter.path_parameters) == 1:
            found[operation.path] = deleter
    return found
