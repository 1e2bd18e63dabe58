"""Has geventhttpclient itself make out what came over a connection of ours.

Its agent goes the whole way that it always goes, down to the socket. The first one that it is given
is a tape; should it want to try again, or to follow a redirect, the next ones are its own.
"""

import errno
from copy import copy
from time import perf_counter_ns
from typing import Any

from geventhttpclient.client import HTTPClient, HTTPClientPool
from geventhttpclient.url import URL
from locust.contrib.fasthttp import FastHttpSession, LocustUserAgent

from withstand.locust_plugin.client.connection import BrokenError
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.timing import ATTRIBUTE


def tape_of(broken: BrokenError) -> Tape:
    """What came of an exchange, as geventhttpclient would have heard it."""
    error = broken.error
    if isinstance(error, OSError) and error.errno == errno.EPIPE:
        error = None  # said of what is sent, not of what is read
    return Tape(broken.received, error)


class Replay:
    """In the place of an agent's pool of clients. `went_on` tells whether anything was sent."""

    def __init__(self, pool: HTTPClientPool, outcome: Tape | Exception) -> None:
        self.went_on = False
        self._pool = pool
        self._outcome: Tape | Exception | None = outcome

    def agent(self, agent: LocustUserAgent) -> LocustUserAgent:
        """An agent like another one, which hears the replay."""
        like = copy(agent)
        like.clientpool = self  # type: ignore[assignment]
        return like

    def get_client(self, url: URL) -> HTTPClient:
        """The client of a server: first one that hears the tape."""
        client = self._pool.get_client(url)
        if self._outcome is None:
            self.went_on = True
            return client
        outcome, self._outcome = self._outcome, None
        like = copy(client)
        like._connection_pool = _TapePool(self, outcome, client._connection_pool)  # type: ignore[assignment]
        return like


class _TapePool:
    """In the place of a client's pool of sockets."""

    def __init__(self, replay: Replay, outcome: Tape | Exception, pool: Any) -> None:
        self.size = pool.size
        self._replay = replay
        self._outcome: Tape | Exception | None = outcome
        self._pool = pool

    def get_socket(self) -> Any:
        """The tape, or the reason why there is none; then sockets."""
        outcome, self._outcome = self._outcome, None
        if outcome is None:
            self._replay.went_on = True
            return self._pool.get_socket()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def return_socket(self, sock: Any) -> None:
        """The socket can be used again."""
        if not isinstance(sock, Tape):
            self._pool.return_socket(sock)

    def release_socket(self, sock: Any) -> None:
        """The socket cannot be used again."""
        if not isinstance(sock, Tape):
            self._pool.release_socket(sock)


class Outcome:
    """Of an exchange: a tape, or why there was no connection; and when that was known."""

    __slots__ = ("end_ns", "first")

    def __init__(self, first: Tape | Exception, end_ns: int) -> None:
        self.first = first
        self.end_ns = end_ns


class LateReport:
    """In the place of an event: says when the request really began and how long it took.

    Locust's session takes its own times, from when the request was left to it.
    """

    def __init__(self, event: Any, start_time: float, start_ns: int, due_ns: int) -> None:
        self._event = event
        self._start_time = start_time
        self._start_ns = start_ns
        self._due_ns = due_ns
        self._left_ns = perf_counter_ns()
        self._end_ns = 0
        self._replay: Replay | None = None

    def of(
        self,
        session: FastHttpSession,
        outcome: Outcome | None,
        catch_response: bool,
        given: dict[str, Any],
    ) -> Any:
        """Have Locust's session make a request of a user's.

        If the request has an outcome already, nothing is sent but what may have to follow.
        """
        like = object.__new__(type(session))
        like.__dict__.update(session.__dict__)
        like.request_event = self
        if outcome is not None:
            self._end_ns = outcome.end_ns
            self._replay = Replay(session.client.clientpool, outcome.first)
            like.client = self._replay.agent(session.client)
        response = FastHttpSession.request(like, **given)
        if catch_response:
            self._correct(response.request_meta)
            response.__dict__[ATTRIBUTE] = response.request_meta["response"].__dict__[ATTRIBUTE]
            response._request_event = self._event
        return response

    def fire(self, **meta: Any) -> None:
        """Tell of a request."""
        self._correct(meta)
        self._event.fire(**meta)

    def _correct(self, meta: dict[str, Any]) -> None:
        taken_ns = self._left_ns - self._start_ns + round(meta["response_time"] * 1e6)
        if self._replay is not None and not self._replay.went_on:
            taken_ns = self._end_ns - self._start_ns
        meta["start_time"] = self._start_time
        meta["response_time"] = taken_ns / 1e6
        end_ns = self._start_ns + taken_ns
        meta["response"].__dict__[ATTRIBUTE] = (
            self._due_ns,
            self._start_ns,
            self._start_ns,
            end_ns,
            end_ns,
            0,
        )
