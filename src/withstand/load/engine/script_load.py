"""What the loads of a user script share in both models: their figures are those of the script."""

from withstand.load.engine.base import Load
from withstand.load.engine.script_run import ScriptRun
from withstand.load.script_record import ScriptRecord


class ScriptLoad(Load):
    """A load whose requests are made by the users of a script."""

    _run: ScriptRun

    @property
    def sent(self) -> int:
        """Requests that went out."""
        return self._run.scene.operations.sent

    def bytes_sent(self, operation: str) -> int:
        """What the requests of an operation amount to."""
        return self._run.scene.operations.bytes_sent(operation)

    @property
    def requested(self) -> int:
        """Requests that users wanted to make; of an iteration or arrival that waits, the first."""
        scene = self._run.scene
        return self.sent + scene.unsent + scene.opening + len(self.queued) + self.withdrawn

    @property
    def in_flight(self) -> int:
        """Requests without an end yet."""
        return self._run.scene.in_flight

    @property
    def script(self) -> ScriptRecord:
        """What became of the script."""
        return self._run.record()

    def _break(self, error: BaseException) -> None:
        self.error = self.error or error
        self.finished.set()

    def _exhaust(self) -> None:
        self.exhausted += 1
