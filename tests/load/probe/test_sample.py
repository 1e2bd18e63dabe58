"""What a Prometheus endpoint or a command says of a server is read, and nonsense is not."""

import pytest

from withstand.load.measurement import ServerReading
from withstand.load.probe.sample import (
    METRIC_NAMES,
    ProbeError,
    reading_from_metrics,
    reading_from_output,
    sample_interval_s,
)

EXPOSITION = """\
# HELP process_resident_memory_bytes Resident memory size in bytes.
# TYPE process_resident_memory_bytes gauge
process_resident_memory_bytes 2.4064e+07
process_open_fds 11
go_goroutines{pool="a b",note="}"} 9 1700000000000
go_goroutines{pool="b"} 4
process_cpu_seconds_total 1.25
process_start_time_seconds 1.7e9
process_max_fds NaN
broken_line
"""


def test_a_prometheus_exposition_is_read_and_series_of_one_name_add_up() -> None:
    assert reading_from_metrics(EXPOSITION, METRIC_NAMES) == ServerReading(
        rss_bytes=24_064_000, descriptors=11, threads=13, cpu_s=1.25, started_at=1.7e9
    )


def test_a_metric_may_have_a_name_of_its_own() -> None:
    found = reading_from_metrics("heap_bytes 5\n", {**METRIC_NAMES, "memory": ("heap_bytes",)})

    assert found == ServerReading(rss_bytes=5)


def test_an_exposition_without_any_of_the_metrics_is_refused_by_their_names() -> None:
    with pytest.raises(ProbeError, match="process_resident_memory_bytes"):
        reading_from_metrics("# nothing\nother 1\n", METRIC_NAMES)


@pytest.mark.parametrize(
    ("printed", "reading"),
    [
        ("123456789\n", ServerReading(rss_bytes=123_456_789)),
        ("CONTAINER\n12.5MiB / 1.9GiB\n\n", ServerReading(rss_bytes=13_107_200)),
        ("64MB", ServerReading(rss_bytes=64_000_000)),
        (
            '{"rss_bytes": 7, "descriptors": 8, "threads": 9, "cpu_s": 1.5}',
            ServerReading(rss_bytes=7, descriptors=8, threads=9, cpu_s=1.5),
        ),
        (
            '{"MemUsage":"1KiB / 1.9GiB","PIDs":"17","Name":"api"}',
            ServerReading(rss_bytes=1024, threads=17),
        ),
        ('{"threads": 3, "rss_bytes": null}', ServerReading(threads=3)),
    ],
)
def test_the_last_line_of_a_command_is_read(printed: str, reading: ServerReading) -> None:
    assert reading_from_output(printed) == reading


@pytest.mark.parametrize(
    ("printed", "why"),
    [
        ("", "no size"),
        ("lots", "'lots'"),
        ("-5", "no size"),
        ("{oops", "no JSON"),
        ('{"name": "api"}', "rss_bytes"),
        ('{"threads": "many"}', "'many'"),
    ],
)
def test_a_command_that_says_nothing_of_use_is_refused(printed: str, why: str) -> None:
    with pytest.raises(ProbeError, match=why):
        reading_from_output(printed)


def test_samples_are_a_second_apart_and_few_in_a_run_of_days() -> None:
    assert sample_interval_s(600) == 1.0
    assert sample_interval_s(8) == 0.25
    assert sample_interval_s(3600, window_s=40) == pytest.approx(1.25)
    assert sample_interval_s(20, window_s=0.4) == 0.05
    assert 10 * 86_400 / sample_interval_s(10 * 86_400) <= 2_880
