"""Texts written from patterns."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.openapi.pattern_text import matches_pattern, text_matching


@pytest.mark.parametrize(
    "pattern",
    [
        r"^[A-Z]{3}-\d{4}$",
        r"^(red|green)-?\w+$",
        r"^[^a-z\s]{2,}$",
        r"^(?P<a>x+)y(?P=a)$",
        r"^(a|b)\1$",
        r"^\S+@\S+\.\S{2,}$",
        r"^(?:[01]\d|2[0-3]):[0-5]\d$",
        r"^[^\x00-\x7f]+$",
        r"^.{10,20}?$",
        r"^(?i:abc)[\d\-_.]*\Z",
        r"^97[89]-\d{10}$",
        r"[[a]",
        r"",
    ],
)
def test_a_text_matches_the_pattern_it_was_written_for(pattern: str) -> None:
    text = text_matching(pattern)
    assert text is not None
    assert re.search(pattern.replace("[[a]", r"[\[a]"), text)


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        (r"^\p{L}+$", r"[A-Za-z]+"),
        (r"^\p{Nd}{2}[\p{Lu}_]$", r"\d\d\w"),
        (r"^(?<year>\d{4})-\k<year>$", r"(\d{4})-\1"),
        (r"^\u{41}\/$", r"A/"),
    ],
)
def test_what_ecma_writes_otherwise_is_translated(pattern: str, wanted: str) -> None:
    text = text_matching(pattern)
    assert text is not None
    assert re.fullmatch(wanted, text)
    assert matches_pattern(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "shortest", "longest"),
    [(r"^[a-z]+$", 12, 15), (r"^\d*$", 7, 7), (r"^(ab)*$", 9, 12), (r"[A-Z]", 20, 25)],
)
def test_lengths_are_kept(pattern: str, shortest: int, longest: int) -> None:
    text = text_matching(pattern, shortest=shortest, longest=longest)
    assert text is not None
    assert shortest <= len(text) <= longest
    assert re.search(pattern, text)


@pytest.mark.parametrize("pattern", [r"^a{5}$", r"(?!)", r"(unclosed", r"^a\bb$"])
def test_none_says_that_no_text_was_found(pattern: str) -> None:
    assert text_matching(pattern, longest=3) is None


def test_a_pattern_that_cannot_be_read_excludes_nothing() -> None:
    assert matches_pattern("(unclosed", "anything")


def test_the_seed_alone_decides_between_the_texts() -> None:
    texts = {text_matching(r"^\d{8}$", seed=(number, 3)) for number in range(10)}
    assert len(texts) == 10
    assert text_matching(r"^\d{8}$", seed=(1, 2)) == text_matching(r"^\d{8}$", seed=(1, 2))


@settings(deadline=None)
@given(
    st.recursive(
        st.sampled_from([r"\d", r"\w", "a", "[A-F0-9]", r"[^,\s]", r"\.", "-"]),
        lambda part: (
            st.tuples(part, st.sampled_from(["", "+", "?", "{2,3}", "*"])).map(
                lambda pair: f"(?:{pair[0]}){pair[1]}"
            )
            | st.lists(part, min_size=1, max_size=3).map("".join)
            | st.lists(part, min_size=1, max_size=3).map(lambda parts: f"({'|'.join(parts)})")
        ),
        max_leaves=8,
    )
)
def test_every_pattern_without_assertions_gets_a_text(pattern: str) -> None:
    text = text_matching(f"^{pattern}$")
    assert text is not None
    assert re.fullmatch(pattern, text)
