"""Reported against true: what agrees, what is off, and what a busy machine may excuse."""

import pytest

from withstand.selftest.comparison import (
    Agreement,
    Comparison,
    Row,
    Section,
    count_row,
    latency_rows,
    lateness,
    quantiles_ns,
    spacing_rows,
)
from withstand.selftest.rendering import as_values, conclusion, table, trouble
from withstand.selftest.spacing import Spacing
from withstand.selftest.truth import StallPattern
from withstand.stats.histogram import Histogram

AGREES, OFF, CANNOT_TELL = Agreement.AGREES, Agreement.OFF, Agreement.CANNOT_TELL
MS = 1_000_000


def of_median(reported_ms: float, true_ms: float, *, late: str | None = None) -> Agreement | None:
    rows = latency_rows({0.5: reported_ms * MS}, [round(true_ms * MS)] * 9, late=late)
    return next(iter(rows)).agreement


@pytest.mark.parametrize(
    ("reported_ms", "true_ms", "agreement"),
    [
        (950, 950, AGREES),
        (968, 950, AGREES),
        (970, 950, OFF),
        (932, 950, AGREES),
        (930, 950, OFF),
        (0.29, 0, AGREES),  # of nothing, 2 % are nothing: 0.3 ms are allowed
        (0.31, 0, OFF),
        (10.29, 10, AGREES),
    ],
)
def test_a_latency_agrees_within_two_percent_or_0_3_ms(
    reported_ms: float, true_ms: float, agreement: Agreement
) -> None:
    assert of_median(reported_ms, true_ms) is agreement


def test_a_late_machine_excuses_what_is_too_high_and_never_what_is_too_low() -> None:
    assert of_median(990, 950, late="the server woke up late") is CANNOT_TELL
    assert of_median(910, 950, late="the server woke up late") is OFF


def test_what_the_queue_of_a_stall_took_excuses_as_much_and_no_more() -> None:
    def judged(reported_ms: float) -> Agreement | None:
        rows = latency_rows({0.9: reported_ms * MS}, [150 * MS] * 9, late=None, drain_ns=4 * MS)
        return [row.agreement for row in rows][1]

    assert [judged(153), judged(154), judged(157), judged(157.1)] == [
        AGREES,
        CANNOT_TELL,
        CANNOT_TELL,
        OFF,
    ]
    assert judged(146.9) is OFF
    assert lateness(None, [], 4 * MS) == "what a stall had held up took 4.00 ms to get through"
    assert lateness(None, [], MS) is None


def test_quantiles_that_a_tool_does_not_report_are_not_judged() -> None:
    rows = list(latency_rows({0.99: 5e6}, [5 * MS] * 100, late=None, pattern=StallPattern()))
    assert [row.agreement for row in rows] == [None, None, None, AGREES, None]
    assert [row.what for row in rows] == ["p50", "p90", "p95", "p99", "p99.9"]
    assert rows[3].by_design == pytest.approx(0.95e9)


def test_counts_agree_to_the_request_or_within_what_was_under_way() -> None:
    assert count_row("sent", true=10, reported=10).agreement is AGREES
    assert count_row("sent", true=10, reported=9).agreement is OFF
    assert count_row("sent", true=10, reported=9, slack=1).agreement is AGREES
    assert count_row("sent", true=10, reported=None).agreement is None


def test_uneven_sends_are_off_unless_the_machine_was_late() -> None:
    even = Spacing(variation=0.1, ideal=10, least=9, most=11, back_to_back=0.0)
    bursts = Spacing(variation=3.0, ideal=10, least=0, most=20, back_to_back=0.9)
    assert [row.agreement for row in spacing_rows(even, late=None)] == [AGREES, AGREES, None, None]
    assert [row.agreement for row in spacing_rows(bursts, late=None)][:2] == [OFF, OFF]
    assert [row.agreement for row in spacing_rows(bursts, late="x")][:2] == [CANNOT_TELL] * 2


def test_a_machine_is_late_by_its_send_lag_or_by_the_servers_own_clock() -> None:
    punctual, late = Histogram([20_000] * 999), Histogram([20_000] * 990 + [5 * MS] * 10)
    assert lateness(punctual, [1000] * 999) is None
    assert lateness(None, []) is None
    assert lateness(late, []) == "one send in a thousand left 5.00 ms late or more"
    said = lateness(punctual, [1000] * 990 + [9 * MS] * 10)
    assert said == "the server itself woke up 9.00 ms late"


def section(*agreements: Agreement | None, peer: str | None = None) -> Section:
    return Section(
        title="Stalls",
        rows=tuple(
            Row(what="p50", unit="ns", true=0, reported=MS, agreement=agreement)
            for agreement in agreements
        ),
        late="the server itself woke up 9 ms late",
        peer=peer,
    )


@pytest.mark.parametrize(
    ("sections", "code"),
    [
        ((section(AGREES, None),), 0),
        ((section(AGREES, CANNOT_TELL),), 3),
        ((section(AGREES, CANNOT_TELL, OFF),), 1),
        ((section(AGREES), section(OFF, peer="hey")), 0),
        ((section(OFF, peer="hey"),), 3),  # nothing of ours was judged
        ((), 3),
    ],
)
def test_the_exit_code_is_about_our_own_rows(sections: tuple[Section, ...], code: int) -> None:
    assert Comparison(sections=sections).exit_code == code
    assert Comparison(sections=sections, interrupted=True).exit_code == 130


def test_the_conclusion_says_what_to_do() -> None:
    assert conclusion(Comparison(sections=(section(AGREES),))).startswith("All 1 figures agree")
    assert "report this" in conclusion(Comparison(sections=(section(OFF, AGREES),)))
    assert "try again" in conclusion(Comparison(sections=(section(CANNOT_TELL),)))
    assert "Interrupted" in conclusion(Comparison(sections=(), interrupted=True))


def test_lateness_is_only_spoken_of_where_it_decided() -> None:
    assert trouble(section(AGREES)) is None
    assert trouble(section(CANNOT_TELL)) == (
        "This machine was late: the server itself woke up 9 ms late."
    )


def test_a_peer_that_failed_says_why() -> None:
    failed = Section(title="ab", rows=(), peer="ab", failure="ab ended with 119")
    assert trouble(failed) == "ab ended with 119"
    assert table(failed) == ((),)


def test_a_table_has_no_empty_columns_and_json_has_every_figure() -> None:
    pattern = StallPattern()
    reported = quantiles_ns(Histogram([0] * 4 + [500 * MS]))
    rows = tuple(latency_rows(reported, [0] * 4 + [500 * MS], late=None, pattern=pattern))
    with_design = Section(title="Stalls", rows=rows)
    assert table(with_design)[0] == ("", "by design", "true", "reported", "of true", "")
    assert table(with_design)[2] == ("p90", "500 ms", "500 ms", "500 ms", "1.000", "agrees")
    counts = Section(title="Counts", rows=(count_row("sent", true=2, reported=2),))
    assert table(counts)[0] == ("", "true", "reported", "of true", "")
    values = as_values(Comparison(sections=(with_design, counts)))
    assert values["agreement"] == "agrees"
    assert values["sections"][0]["rows"][1] == {
        "what": "p90", "unit": "ns", "by_design": pytest.approx(0.5e9), "true": 500 * MS,
        "reported": 500 * MS, "ratio": 1.0, "allowed": "2 % or 0.3 ms", "agreement": "agrees",
    }  # fmt: skip
