"""What a scan sends and gets, one readable line a request. Pure; secrets are masked on the way."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from withstand.client.exchange import Exchange, Failure
from withstand.client.masking import Mask
from withstand.openapi.operation import Api
from withstand.scan.groundwork.attempt import Attempt
from withstand.scan.seen import called

_NO_OPERATION: Final = "(no operation)"


class Trace:
    """Writes lines with a function of the caller's. `mask` gives the mask of the moment."""

    def __init__(
        self, write: Callable[[str], None], api: Api, *, base_path: str, mask: Callable[[], Mask]
    ) -> None:
        self._write = write
        self._mask = mask
        self._base_path = base_path
        self._requests = 0
        self._api = api

    def sent(self, exchange: Exchange) -> None:
        """`  12  alice  POST /orders  201  14 ms  /orders?dry=1`."""
        self._requests += 1
        request, outcome = exchange.request, exchange.outcome
        status = str(outcome) if isinstance(outcome, Failure) else str(outcome.status)
        operation = called(self._api, self._base_path, request)
        key = operation.key if operation is not None else f"{request.method} {_NO_OPERATION}"
        who = exchange.identity or "anonymous"
        self._write(
            f"{self._requests:5}  {who:<12} {key:<40} {status:>4} {_ms(exchange):>8}  "
            f"{self._mask().text(request.path)[:200]}"
        )

    def without_baseline(
        self, attempts: Mapping[str, Sequence[Attempt]], missing: Mapping[str, str]
    ) -> None:
        """Each operation for which no request succeeded, with every try and its answer."""
        mask = self._mask()
        for key, reason in missing.items():
            self._write(mask.text(f"no baseline: {key}: {reason}"))
            for line in tried(attempts.get(key, ())):
                self._write(mask.text(f"    {line}"))


def tried(attempts: Sequence[Attempt]) -> Iterator[str]:
    """One line for each try: who, what was sent, what came of it; the same ones once."""
    seen: set[str] = set()
    for attempt in attempts:
        sent = "everything" if attempt.full else "only what is required"
        other = f", another {', '.join(attempt.repaired)}" if attempt.repaired else ""
        line = f"{attempt.what}  ({sent}{other})"
        if line not in seen:
            seen.add(line)
            yield line


def _ms(exchange: Exchange) -> str:
    return f"{exchange.timing.service_time_ns / 1e6:.0f} ms"
