"""The client of FastHttpUser: Locust's session on geventhttpclient, with a short way for plain
requests.

A request takes the short way when nothing about it needs more than sending bytes and reading an
answer. Any other is left to the session that this one is, and so is any answer that is not plain.
"""

from time import perf_counter_ns, time
from typing import Any

from withstand.locust_plugin.client.connection import BrokenError
from withstand.locust_plugin.client.fast_http_plan import STOPS_REDIRECTS, Plan, PlanningHttpSession
from withstand.locust_plugin.client.fast_http_response import (
    PlainFastContext,
    PlainFastResponse,
    decoded,
    is_odd,
    mark_failed,
)
from withstand.locust_plugin.client.fast_replay import LateReport, Outcome, tape_of
from withstand.locust_plugin.client.tape import Tape
from withstand.locust_plugin.timing import response_ms
from withstand.locust_plugin.watch import WATCH, intended_ns


class FasterHttpSession(PlanningHttpSession):
    """In the place of `locust.contrib.fasthttp.FastHttpSession`."""

    request_name: str | None = None  # Locust has had one here since 2.47

    def request(
        self,
        method: str,
        url: str,
        name: str | None = None,
        data: Any = None,
        catch_response: bool = False,
        stream: bool = False,
        headers: Any = None,
        auth: Any = None,
        json: Any = None,
        allow_redirects: bool = True,
        context: dict[str, Any] = {},  # noqa: B006 - as Locust's own
        **kwargs: Any,
    ) -> Any:
        """Send a request and report it; as `locust.contrib.fasthttp.FastHttpSession.request`."""
        start_time, start_ns = time(), perf_counter_ns()
        name = name or self.request_name or url
        WATCH.started += 1
        user: Any = self.user
        due_ns = start_ns
        if user is not None and user.withstand_due_ns:
            due_ns = intended_ns(user, start_ns)
        built_url = f"{self.base_url}{url}" if url[:1] == "/" else self._build_url(url)
        plan: Plan | str
        if stream:
            plan = "stream=True"
        elif not (allow_redirects or STOPS_REDIRECTS):
            plan = "allow_redirects=False"
        elif data is None and json is None and not kwargs:
            plan = self._plan_without_body(method, built_url, headers, auth)
        else:
            plan = self._plan(method, built_url, data, headers, auth, json, kwargs)
        if WATCH.explaining:
            WATCH.note(f"geventhttpclient: {plan}" if isinstance(plan, str) else "fast")
        outcome: Outcome | None = None
        if not isinstance(plan, str):
            came = self._exchange(plan, built_url, allow_redirects, due_ns, start_ns)
            if isinstance(came, PlainFastResponse):
                if user is not None:
                    user.withstand_has_sent = True
                timing, size_bytes = came.withstand_timing, len(came.content)
                if (
                    WATCH.unheard is self.request_event
                    and came.told is None
                    and not catch_response
                    and WATCH.record(method, name, came.status_code, size_bytes, timing)
                ):
                    return came
                if user is not None:
                    context = {**user.context(), **context}
                meta = {
                    "request_type": method,
                    "name": name,
                    "context": context,
                    "response": came,
                    "exception": came.told,
                    "start_time": start_time,
                    "url": built_url,
                    "response_length": size_bytes,
                    "response_time": response_ms(timing),
                }
                if catch_response:
                    return PlainFastContext(came, self.request_event, meta)
                self.request_event.fire(**meta)
                return came
            outcome = came
        for place in self._places.values():
            place.lend()
        report = LateReport(self.request_event, start_time, start_ns, due_ns)
        return report.of(
            self,
            outcome,
            catch_response,
            {
                "method": method,
                "url": url,
                "name": name,
                "data": data,
                "catch_response": catch_response,
                "stream": stream,
                "headers": headers,
                "auth": auth,
                "json": json,
                "allow_redirects": allow_redirects,
                "context": context,
                **kwargs,
            },
        )

    def _exchange(
        self, plan: Plan, url: str, allow_redirects: bool, due_ns: int, start_ns: int
    ) -> PlainFastResponse | Outcome:
        """The response if it is a plain one, else what geventhttpclient has to hear."""
        place, request, sent = plan
        try:
            connection = place.take(start_ns)
        except Exception as error:
            return Outcome(error, perf_counter_ns())
        connect_ns = place.connect_ns
        sent_ns = perf_counter_ns() if connect_ns else start_ns
        try:
            known = connection.exchange(sent[0].method, request, place.timeout_s)
        except BrokenError as broken:
            return Outcome(tape_of(broken), perf_counter_ns())
        else:
            head, content, reader = connection.head, connection.body, connection.reader
            end_ns = connection.end_ns
            first_byte_ns = connection.first_byte_ns
            timing = (due_ns, start_ns, sent_ns, first_byte_ns, end_ns, connect_ns)
        finally:
            place.give_back(connection)
        response = PlainFastResponse(head, content, url, sent, timing)
        agent = self.client
        is_good = head.status in agent.valid_response_codes
        if known and is_good and not (head.encoded or head.redirects or head.sets_cookies):
            return response
        received = (head.raw, content) if known or reader is None else reader.received
        if (
            head.status < 200
            or (not known and reader is not None and is_odd(reader))
            or (head.redirects and allow_redirects and head.status in agent.redirect_response_codes)
        ):
            return Outcome(Tape(received), end_ns)
        try:
            if head.encoded:
                response.content = decoded(head, content)
            if head.sets_cookies and agent.cookiejar is not None:
                lines = [value for name, value in head.fields if name == "set-cookie"]
                self._cookie_headers.take(agent.cookiejar, url, lines)
            if not is_good:
                mark_failed(agent, response)
        except Exception:  # geventhttpclient says best what is wrong
            return Outcome(Tape(received), end_ns)
        return response
