"""Users whom the scan made, where it is not sure by which id they are deleted: the answer to their
sign-up leaves open whose id it gives, or several operations delete users.

They are only deleted by an id under which the API shows them.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote_plus

from withstand.client.exchange import Request, Response
from withstand.client.identity import Identity, stripped
from withstand.client.page import page_of
from withstand.client.transport import Transport
from withstand.openapi.operation import Operation
from withstand.openapi.page_ids import id_listed_with
from withstand.openapi.resources import lister_of, reader_of
from withstand.openapi.spoken import name_of_id
from withstand.scan.answers.next_page import next_page
from withstand.scan.made import MARK
from withstand.scan.plan import ScanPlan
from withstand.scan.seen import was_served
from withstand.scan.wire.deletions import on_thing
from withstand.scan.wire.leftovers import Leftover

_MOST_PAGES: Final = 10


class UsersLeft:
    """Looks for users of the scan's own, as whoever may read users: it remembers who that is."""

    def __init__(self, plan: ScanPlan, transport: Transport, people: Iterable[Identity]) -> None:
        self._plan = plan
        self._transport = transport
        self._people = tuple(people)
        self._readers: dict[str, Identity | None] = {}  # by operation; None: nobody may read it

    async def with_deletion(self, user: Leftover, remover: Operation) -> Leftover | None:
        """The user with the request by which the operation deletes them; None where nothing shows
        under which id.
        """
        sent = unquote_plus(user.made.body.decode("utf-8", "replace"))
        ours = tuple({*MARK.findall(sent)})
        if not ours or self._plan.policy.forbids(remover) is not None:
            return None
        identifier = await self._id_shown(user, remover, ours)
        if identifier is None:
            return None
        deletion = self._on_user(remover, user, identifier)
        return replace(user, identifier=identifier, deletion=deletion, deleter=remover)

    async def _id_shown(
        self, user: Leftover, remover: Operation, ours: tuple[str, ...]
    ) -> object | None:
        """The id under which the user is shown where the operation deletes users."""
        reader, lister = reader_of(self._plan.api, remover), lister_of(self._plan.api, remover)
        if reader is not None and user.identifier is not None:
            asked = self._on_user(reader, user, user.identifier)
            shown = await self._read(reader, asked) if asked is not None else None
            if shown is not None and _is_told(shown.json(), user.identifier, ours):
                return user.identifier
        if lister is None or lister.path_parameters:
            return None
        name = name_of_id(remover, self._plan.api.resolve) or "id"
        request = Request(method="GET", path=self._plan.target.base_path + lister.path)
        for _ in range(_MOST_PAGES):
            page = await self._read(lister, request)
            if page is None:
                return None
            found = id_listed_with(page, ours, name, "user")
            if found is not None and (page_of(page) or _is_told(page.json(), found, ours)):
                return found
            further = next_page(request, page, self._plan.target.authority)
            if further is None:
                return None
            request = further
        self._readers[lister.key] = None  # too long to be read again for each of them
        return None

    def _on_user(self, operation: Operation, user: Leftover, identifier: object) -> Request | None:
        api, path = self._plan.api, self._plan.target.base_path
        return on_thing(api, path, operation, user.producer, user.made, identifier)

    async def _read(self, operation: Operation, request: Request) -> Response | None:
        """The answer to whoever may read; None where nobody may, or the request was refused."""
        if self._plan.policy.forbids(operation) is not None:
            return None
        bare = stripped(request, self._people)
        known = operation.key in self._readers
        by_role = {each.role: each for each in reversed(self._people) if not each.throwaway}
        readers = [self._readers[operation.key]] if known else [*by_role.values()]
        statuses = set()
        for reader in filter(None, readers):
            exchange = await self._transport.send(reader.authorize(bare))
            if was_served(exchange):
                self._readers[operation.key] = reader
                return exchange.response
            statuses.add(exchange.status)
        if statuses <= {401, 403}:
            self._readers.setdefault(operation.key, None)
        return None


def _is_told(node: Any, identifier: object, ours: tuple[str, ...]) -> bool:
    """Whether one thing of a document has the id and what the user signed up with: not a team that
    has the id and lists the user.
    """
    waiting = [node]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            own = [str(value) for value in _own(item)]
            if str(identifier) in own and any(text in value for text in ours for value in own):
                return True
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return False


def _own(thing: Mapping[str, Any]) -> Iterator[object]:
    """The values of a thing, also in objects inside it, but of no list."""
    waiting: list[Mapping[str, Any]] = [thing]
    while waiting:
        for part in waiting.pop().values():
            if isinstance(part, Mapping):
                waiting.append(part)
            elif not isinstance(part, list):
                yield part
