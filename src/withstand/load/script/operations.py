"""The operations of a script, which come into being when a name is used first. Pure."""

from typing import Final

from withstand.load.recorder import OperationRecorder
from withstand.load.script.count import OperationCount, Ticket
from withstand.load.script.request import operation_name

MAX_NAMES: Final = 200
MAX_TICKETS: Final = 256  # of an operation
OTHER_NAMES: Final = "other names"
EVERY_STATUS: Final = frozenset(range(100, 1000))  # the script's `expect` decides

Known = dict[str, dict[str, OperationCount]]
Tickets = dict[str | tuple[str, str], Ticket]
"""Of GET requests of the usual kind, by path, or by name and path where they were given a name."""


class Operations:
    """Recorders by name. `known` holds those of a group by method and label, for quick finding."""

    def __init__(self, *, width_s: int) -> None:
        self.recorders: dict[str, OperationRecorder] = {}
        self.origin_ns = 0
        self.overflowed = False
        self._width_s = width_s
        self._counts: dict[str, OperationCount] = {}
        self._groups: dict[str, Known] = {}
        self._tickets: dict[str, Tickets] = {}

    def known(self, group: str) -> Known:
        """What has been used in a group; `group` ends with its separator."""
        return self._groups.setdefault(group, {"GET": {}})

    def tickets(self, group: str) -> Tickets:
        """The tickets of a group that are kept."""
        return self._tickets.setdefault(group, {})

    def keep(self, group: str, key: str | tuple[str, str], ticket: Ticket) -> None:
        """Keep a ticket for the requests that are like it, unless there are too many already."""
        if ticket.count.tickets < MAX_TICKETS:
            ticket.count.tickets += 1
            self.tickets(group)[key] = ticket

    def find(self, group: str, method: str, label: str) -> OperationCount:
        """The count of a request in a group; made at first use, up to 200 names."""
        by_label = self.known(group).setdefault(method, {})
        count = by_label.get(label)
        if count is None:
            count = self.named(group + operation_name(method, label))
            if count.recorder.operation != OTHER_NAMES:
                by_label[label] = count
        return count

    def named(self, name: str) -> OperationCount:
        """The count of a name."""
        count = self._counts.get(name)
        if count is not None:
            return count
        if len(self._counts) >= MAX_NAMES and name != OTHER_NAMES:
            self.overflowed = True
            return self.named(OTHER_NAMES)
        recorder = OperationRecorder(
            name, origin_ns=self.origin_ns, width_s=self._width_s, expected=EVERY_STATUS
        )
        self.recorders[name] = recorder
        self._counts[name] = count = OperationCount(recorder)
        return count

    @property
    def sent(self) -> int:
        """Requests that went out."""
        return sum(count.sent for count in self._counts.values())

    def bytes_sent(self, name: str) -> int:
        """What the requests of a name amount to."""
        return self._counts[name].bytes_sent

    @property
    def note(self) -> str | None:
        """What to say when there were too many names."""
        if not self.overflowed:
            return None
        return (
            f"the script used more than {MAX_NAMES} names; the rest are counted together as "
            f"{OTHER_NAMES!r}: write ids as places (client.get('/orders/{{id}}', id=7)) or give a "
            f"name="
        )
