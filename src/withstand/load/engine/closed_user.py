"""A virtual user of the closed model, and the connection that is its own."""

from collections.abc import Iterator
from time import perf_counter_ns
from typing import Protocol

from withstand.client.connection import Connection
from withstand.client.exchange import FailureKind
from withstand.load.engine.shot import LoadConnection, Shot
from withstand.load.profile.profile import Stay


class Users(Protocol):
    """The load that a user belongs to; `shots` says what it sends next."""

    shots: Iterator[Shot]

    def answered(self, user: "VirtualUser") -> None:
        """A user has an answer but does not ask again at once."""

    def disappointed(self, user: "VirtualUser") -> None:
        """A user's request failed."""

    def forget(self, connection: LoadConnection) -> None:
        """A connection is closed."""


class VirtualUser:
    """Somebody who uses the API for the length of a stay.

    `due_ns` is when its present or next iteration is due, `intended_ns` when the clock of its
    present request began; None: it begins with the send.
    """

    __slots__ = (
        "connecting",
        "connection",
        "due_ns",
        "failures",
        "intended_ns",
        "leave_ns",
        "stay",
        "turn",
    )

    def __init__(self, stay: Stay) -> None:
        self.stay = stay
        self.connection: UserConnection | None = None
        self.connecting = False
        self.due_ns = 0
        self.intended_ns: int | None = None
        self.leave_ns = 0
        self.failures = 0
        self.turn = 0


class UserConnection(LoadConnection):
    """A virtual user's connection. `eager` holds while the user asks again at once after an answer;
    it is one attribute because it is read for every response.
    """

    __slots__ = ("eager", "load", "user")

    def __init__(self, load: Users, user: VirtualUser) -> None:
        super().__init__()
        self.load = load
        self.user = user
        self.eager = False

    def data_received(self, data: bytes) -> None:
        """Look whether it is a known response; if so, count it and ask again.

        These lines are what each request costs: `response_complete` and `fire` for the usual
        case, written out.
        """
        if self.swift:
            end_ns = perf_counter_ns()
            sent_ns = self.sent_ns
            if self.shot.recorder.repeated(data, self.intended_ns, sent_ns, end_ns):
                if not self.eager:
                    self.swift = self.in_flight = False
                    self.reusable = True
                    self.load.answered(self.user)
                    return
                shot = next(self.load.shots)
                if shot.head:
                    self.fire(shot)
                    self.intended_ns = self.sent_ns
                    return
                # `fire`, written out: it stays in flight, and nothing has come yet.
                self.shot = shot
                shot.sent += 1
                data = next(shot.variants)
                self.intended_ns = self.sent_ns = perf_counter_ns()
                self.transport.write(data)
                return
            self.swift = False
        Connection.data_received(self, data)

    def response_complete(self) -> None:
        """Count it and ask again."""
        end_ns = self.end_ns
        self.shot.recorder.response(
            self.intended_ns,
            self.sent_ns,
            self.first_byte_ns or end_ns,
            end_ns,
            self.status,
            self.bytes_received,
        )
        if self.eager and self.reusable:
            self.fire(next(self.load.shots))
            self.intended_ns = self.sent_ns
        else:
            self.load.answered(self.user)

    def failed(self, kind: FailureKind, detail: str) -> None:  # noqa: ARG002 - the kind is counted
        """Count it; the user goes on over another connection."""
        self.record_failure(kind)
        if self.has_answered:
            self.user.failures = 0
        self.load.disappointed(self.user)

    def connection_lost(self, exc: Exception | None) -> None:
        """Leave the load's list."""
        super().connection_lost(exc)
        self.load.forget(self)
