"""What Withstand does in a process of Locust's, from its events: records, reports, judges.

A worker's recordings ride on the reports that it sends to its master anyway. The master, or a
Locust that is alone, puts the parts together, and hands them to the process that started it, or
writes the report itself.
"""

import os
import signal
import sys
from contextlib import suppress
from typing import Any, Final

import gevent
import locust
import locust.runners
from locust.exception import RPCError
from locust.runners import MasterRunner, WorkerRunner

from withstand.load.measurement import LoadMeasurement
from withstand.locust_plugin.explanation import explanation
from withstand.locust_plugin.farewell import await_last_reports
from withstand.locust_plugin.install import install
from withstand.locust_plugin.intent import Intent, intent_of
from withstand.locust_plugin.lane import close_lane, open_lane
from withstand.locust_plugin.options import add_options
from withstand.locust_plugin.pacing import PACING
from withstand.locust_plugin.parcel import wrapped
from withstand.locust_plugin.parent import Parent
from withstand.locust_plugin.resending import resend_what_is_lost
from withstand.locust_plugin.statistics import be_quick
from withstand.locust_plugin.test_run import TestRun
from withstand.locust_plugin.watch import WATCH
from withstand.locust_plugin.workers import Workers

_REPORT_S: Final = 1.0
_ALONE: Final = "here"


class Plugin:
    """Of one process."""

    def __init__(self) -> None:
        self._environment: Any = None
        self._runner: Any = None
        self._options: Any = None
        self._run: TestRun | None = None
        self._workers: Workers | None = None
        self._parent: Parent | None = None
        self._intent: Intent | None = None
        self._runs = 0
        self._began = False

    def begin(self, events: Any) -> None:
        """Put the clients in their places and listen to Locust's events; once."""
        if self._began:
            return
        self._began = True
        install()
        locust.runners.WORKER_REPORT_INTERVAL = _REPORT_S
        events.request.add_listener(self._on_request)
        events.init_command_line_parser.add_listener(add_options)
        events.init.add_listener(self._on_init)
        events.test_start.add_listener(self._on_test_start)
        events.test_stop.add_listener(self._on_test_stop)
        events.report_to_master.add_listener(self._on_report_to_master)
        events.worker_report.add_listener(self._on_worker_report)
        events.reset_stats.add_listener(self._on_reset)
        events.spawning_complete.add_listener(self._on_spawning_complete)
        events.quit.add_listener(self._on_quit)

    def _on_init(self, environment: Any, runner: Any = None, **_: Any) -> None:
        self._environment, self._runner = environment, runner
        self._options = environment.parsed_options
        WATCH.explaining = bool(self._option("withstand_explain"))
        pipe = self._option("withstand_pipe")
        if isinstance(runner, WorkerRunner):
            if pipe is not None:
                os.close(pipe)
            resend_what_is_lost(runner, self._tell_again)
            return
        self._intent = intent_of(self._options)  # before the test: a mistake costs nothing yet
        if self._options is not None:  # as it is where Locust is used as a library
            # Goes to the workers with the options that are not Locust's own.
            self._options.withstand_width_s = self._intent.width_s
        if pipe is not None:
            self._parent = Parent(pipe)
            if environment.shape_class is not None:
                # Locust would die of it: until a shape is over, Ctrl-C alone ends it in good order.
                signal.signal(signal.SIGTERM, signal.default_int_handler)
        if self._is_master:
            await_last_reports(runner, self._last_reports_are_in)
        gevent.spawn(self._report)
        # Nothing has waited yet, so the loop still believes in the time before all imports, by
        # which Locust would measure --run-time.
        gevent.get_hub().loop.update_now()

    def _option(self, name: str) -> Any:
        return getattr(self._options, name, None)

    def _on_test_start(self, environment: Any, **_: Any) -> None:
        self._runs += 1
        # A worker that joins a test hears of it before its Locust is done beginning.
        self._environment, self._runner = environment, environment.runner
        self._options = environment.parsed_options
        be_quick()  # the locustfile has had its say
        PACING.staggered = bool(self._option("withstand_stagger"))
        if self._run is not None:
            self._run.stop()
        self._run = TestRun(width_s=self._option("withstand_width_s") or 1)
        if self._runner is not None and not isinstance(self._runner, WorkerRunner):
            size = len(self._runner.clients.ready) if self._is_master else 1
            self._workers = Workers(self._run, profile=self._profile(), size=max(size, 1))
        if not self._is_master:
            self._open_lane()

    def _open_lane(self) -> None:
        assert self._run is not None
        environment = self._environment
        open_lane(
            environment.events.request, self._on_request, environment.stats, self._run.recording
        )

    @property
    def _is_master(self) -> bool:
        return isinstance(self._runner, MasterRunner)

    def _profile(self) -> str:
        """The load as a person reads it."""
        file = self._environment.locustfile or "a locustfile"
        run_time_s = self._option("run_time")
        lasts = f" for {run_time_s:g}s" if run_time_s else ""
        shape = self._environment.shape_class
        if shape is not None:
            return f"{type(shape).__name__} of {file}{lasts}"
        users = self._option("num_users") or 1
        rate = self._option("spawn_rate") or 1
        return f"{users:,} users of {file}, {rate:g} started per second{lasts}"

    def _on_request(self, **event: Any) -> None:
        if self._run is not None and not self._run.stopped:
            self._run.recording.request(**event)

    def _on_test_stop(self, **_: Any) -> None:
        if self._run is not None:
            self._run.stop()
            if isinstance(self._runner, WorkerRunner):
                # Its master may go as soon as it hears that all workers have stopped.
                with suppress(RPCError):
                    self._runner._send_stats()
        close_lane()

    def _on_reset(self, **_: Any) -> None:
        if self._run is None:
            return
        self._run.reset()
        if self._workers is not None:
            self._workers.forget()
        if not self._is_master:
            self._open_lane()

    def _on_spawning_complete(self, **_: Any) -> None:
        if self._environment is not None and self._environment.reset_stats:
            self._on_reset()

    def _on_report_to_master(self, data: dict[str, Any], **_: Any) -> None:
        if self._run is not None:
            snapshot = self._run.snapshot("a worker's part")
            data["withstand"] = wrapped(snapshot, stopped=self._run.stopped)

    def _tell_again(self, since_ns: int) -> None:
        if self._run is not None:
            self._run.recording.tell_again(since_ns)

    def _on_worker_report(self, client_id: str, data: dict[str, Any], **_: Any) -> None:
        if self._workers is not None:
            self._workers.heard(client_id, data)

    def _report(self) -> None:
        """About once a second, to whoever is told."""
        while True:
            gevent.sleep(_REPORT_S)
            self._take_stock()

    def _take_stock(self, *, last: bool = False) -> None:
        run, workers = self._run, self._workers
        if run is None or workers is None:
            return
        if self._is_master:
            workers.look_after(self._present_workers() if not last else ())
        else:
            workers.apply(_ALONE, run.snapshot(self._profile()))
        if self._parent is not None:
            snapshot = workers.completed(workers.crew.snapshot(last=last))
            if snapshot is not None:
                self._parent.tell(
                    self._runs,
                    self._environment,
                    snapshot,
                    host=self._host(),
                    run_time_s=self._option("run_time"),
                )

    def _present_workers(self) -> set[str]:
        missing = {each.id for each in self._runner.clients.missing}
        return set(self._runner.clients) - missing

    def _last_reports_are_in(self) -> bool:
        return self._workers is None or self._workers.have_stopped(self._present_workers())

    def _host(self) -> str | None:
        """What the users send to, where that is one."""
        hosts = {self._environment.host or each.host for each in self._environment.user_classes}
        return hosts.pop() if len(hosts) == 1 else None

    def _measurement(self) -> LoadMeasurement | None:
        assert self._workers is not None
        return self._workers.completed(self._workers.crew.measurement())

    def _on_quit(self, exit_code: int, **_: Any) -> None:
        if WATCH.explaining:
            sys.stderr.write(explanation(WATCH.call_sites))
        if self._run is None or self._workers is None:
            return
        self._run.stop()
        self._take_stock(last=True)
        own_code = self._environment.process_exit_code
        if self._parent is not None:
            self._parent.end(own_code)
            return
        measured = self._measurement()
        if measured is None or self._intent is None:
            return
        # Deferred: reports take a third of a second to import, and most processes write none.
        from withstand.locust_plugin.verdict import publish

        code = publish(
            measured,
            self._intent,
            host=self._host(),
            stdout_is_taken=bool(self._option("json")),
        )
        # What the locustfile says of itself stands; without objectives Locust decides as ever.
        if own_code is None and self._intent.objectives and code != exit_code:
            sys.exit(code)


PLUGIN: Final = Plugin()
