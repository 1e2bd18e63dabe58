"""Who looks on while a load runs sees all of it."""

import asyncio
from dataclasses import replace

from tests.load.test_journal import BEFORE
from withstand.load.measurement import LoadMeasurement
from withstand.slo import Outlook, Watch
from withstand.workflows.attendance import attended


def test_every_snapshot_is_shown_up_to_the_last() -> None:
    seen: list[LoadMeasurement] = []

    def watcher(snapshot: LoadMeasurement, _: tuple[Outlook, ...]) -> None:
        seen.append(snapshot)

    several = [replace(BEFORE, sent=sent) for sent in range(3)]

    async def main() -> None:
        async with attended(Watch(()), abort=None, watcher=watcher) as report:
            assert report is not None
            for snapshot in several:
                report(snapshot)

    asyncio.run(main())
    assert seen == several


def test_nobody_is_reported_to_where_nobody_looks_on() -> None:
    async def main() -> None:
        async with attended(Watch(()), abort=None, watcher=None) as report:
            assert report is None

    asyncio.run(main())
