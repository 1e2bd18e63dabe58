"""A call that is ready to be sent, and the connection that carries it."""

from collections.abc import Iterator
from itertools import cycle

from withstand.client.connection import Connection
from withstand.client.exchange import FailureKind
from withstand.load.recorder import OperationRecorder
from withstand.load.scenario.expectation import Expectation
from withstand.load.scenario.template import Filled


class Shot:
    """One call, ready to be sent: its recorder and its rendered variants in turn.

    `expectation` and `follow_redirects` are heeded by careful connections only, which keep the
    responses of a shot that `is_inspected`.
    """

    __slots__ = (
        "_sizes",
        "expectation",
        "follow_redirects",
        "head",
        "is_inspected",
        "recorder",
        "sent",
        "variants",
    )

    variants: Iterator[bytes]

    def __init__(
        self,
        recorder: OperationRecorder,
        variants: tuple[bytes, ...],
        *,
        head: bool,
        expectation: Expectation | None = None,
        follow_redirects: bool = False,
    ) -> None:
        self.recorder = recorder
        self.variants = cycle(variants)
        self.head = head
        self.expectation = expectation
        self.follow_redirects = follow_redirects
        self.is_inspected = expectation is not None or follow_redirects
        self.sent = 0
        self._sizes = [len(data) for data in variants]

    @property
    def bytes_sent(self) -> int:
        """What the variants sent so far amount to, which their turns decide."""
        rounds, rest = divmod(self.sent, len(self._sizes))
        return rounds * sum(self._sizes) + sum(self._sizes[:rest])


class FilledShot(Shot):
    """A call whose variants are templates, filled as they are sent."""

    __slots__ = ("_filled",)

    def __init__(
        self,
        recorder: OperationRecorder,
        filled: Filled,
        *,
        head: bool,
        expectation: Expectation | None = None,
        follow_redirects: bool = False,
    ) -> None:
        super().__init__(
            recorder, (), head=head, expectation=expectation, follow_redirects=follow_redirects
        )
        self.variants = self._filled = filled

    @property
    def bytes_sent(self) -> int:
        """What was filled so far."""
        return self._filled.bytes_given


class LoadConnection(Connection):
    """A connection that knows which shot it carries, and since when its user waits.

    `swift` holds while a response that came before is worth looking for: from the send of a request
    of the usual kind to the first read. The first response of a connection is always parsed.
    """

    __slots__ = ("intended_ns", "shot", "swift")

    shot: Shot

    def __init__(self, *, keep_reads: bool = False) -> None:
        super().__init__(keep_reads=keep_reads)
        self.intended_ns = 0
        self.swift = False

    def fire(self, shot: Shot) -> None:
        """Send a shot's next variant."""
        self.shot = shot
        shot.sent += 1
        self.swift = self.has_answered and not shot.head
        self.start(next(shot.variants), head=shot.head)

    def give_up(self, kind: FailureKind, detail: str) -> None:
        """Nothing that comes after this is looked at."""
        self.swift = False
        super().give_up(kind, detail)

    def let_go(self) -> None:
        """Close at once, without a hook: nobody waits for an answer any more."""
        self.swift = self.in_flight = False
        self.drop()

    def came_whole(self, data: bytes) -> None:
        """Know it again."""
        self.shot.recorder.learn(data, self.intended_ns, self.status)

    def record_failure(self, kind: FailureKind) -> None:
        """Count the request that just failed."""
        self.shot.recorder.failure(self.intended_ns, self.end_ns, kind, self.bytes_received)
        self.note_opening()

    def note_opening(self) -> None:
        """Count how long opening this connection took, once, with the request that uses it."""
        if self.connect_ns is not None:
            self.shot.recorder.connected(self.intended_ns, self.connect_ns, self.tls_ns)
            self.connect_ns = None
