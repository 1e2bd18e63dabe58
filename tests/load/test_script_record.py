"""What became of a script."""

from withstand.load.script_record import ScriptRecord, exception_text, merge_records

FIRST = ScriptRecord(iterations=2, exceptions={"A": 1}, blocked_ns={"x": 5}, notes=("n",))
SECOND = ScriptRecord(iterations=3, exceptions={"A": 2, "B": 1}, notes=("n", "m"))


def test_records_merge_exactly() -> None:
    assert merge_records(FIRST, SECOND) == ScriptRecord(
        iterations=5, exceptions={"A": 3, "B": 1}, blocked_ns={"x": 5}, notes=("n", "m")
    )
    assert merge_records(FIRST, None) == merge_records(None, FIRST) == FIRST
    assert merge_records(None, None) is None


def test_the_sentences_begin_with_what_happened_most() -> None:
    assert SECOND.sentences() == (
        "the script raised 2 times: A",
        "the script raised once: B",
        "n",
        "m",
    )
    assert "x kept the generator from doing anything else for 5 ns" in FIRST.sentences()[1]


def test_a_script_that_blocks_for_more_than_one_percent_voids_the_run() -> None:
    blocked = ScriptRecord(blocked_ns={"shop.py, line 3, visit": 11_000_000, "y": 1})
    assert blocked.saturation(1.2) is None
    assert "1.1 % of the run (at shop.py, line 3, visit)" in (blocked.saturation(1.0) or "")
    assert blocked.saturation(0) is None


def test_a_script_of_which_no_iteration_ends_says_nothing() -> None:
    assert ScriptRecord(exceptions={"A": 1, "B": 2}).void() is not None
    assert "B" in (ScriptRecord(exceptions={"A": 1, "B": 2}).void() or "")
    assert FIRST.void() is None
    assert ScriptRecord().void() is None


def test_an_exception_is_one_line_of_bounded_length() -> None:
    assert (
        exception_text(ValueError("a\n  b"), "x.py, line 1, f")
        == "ValueError: a b (x.py, line 1, f)"
    )
    assert exception_text(KeyError(), None) == "KeyError"
    assert len(exception_text(ValueError("x" * 10_000), None)) < 400
