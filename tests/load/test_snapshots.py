"""Snapshots that are put together say what they said one by one."""

from dataclasses import replace

from tests.load.test_journal import snapshot, window
from withstand.load.journal import Journal
from withstand.load.measurement import LoadMeasurement, ServerSample
from withstand.load.snapshots import joined


def _snapshots() -> list[LoadMeasurement]:
    reported = [
        snapshot(window(0, 5), sent=1, bytes_sent=10),
        snapshot(window(0, 5, 6), window(1, 7), sent=3, bytes_sent=30),
        snapshot(sent=3, bytes_sent=30),
        snapshot(window(1, 7, 8), sent=4, bytes_sent=40),
    ]
    return [
        replace(each, server_samples=(ServerSample(at_s=float(index), rss_bytes=index),))
        for index, each in enumerate(reported)
    ]


def test_a_journal_takes_in_a_joined_snapshot_as_it_would_the_single_ones() -> None:
    single, together = Journal(), Journal()
    first, second, third, fourth = _snapshots()
    for each in (first, second, third, fourth):
        single.apply(each)

    together.apply(joined(joined(first, second), joined(third, fourth)))

    assert together.measurement() == single.measurement()


def test_an_operation_that_only_the_earlier_one_knows_is_kept() -> None:
    first, *_ = _snapshots()

    assert joined(first, replace(first, operations={})).operations == first.operations
