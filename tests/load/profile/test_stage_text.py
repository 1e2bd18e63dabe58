"""Stages as people write them."""

import pytest

from withstand.errors import UsageError
from withstand.load.profile.stage_text import parse_stages
from withstand.load.profile.stages import StagedRate, StagedUsers


@pytest.mark.parametrize(
    ("text", "described"),
    [
        (
            "30s:200/s,1m:200/s,10s:0/s",
            "30 s from 0/s to 200/s, 60 s at 200/s, 10 s from 200/s to 0/s",
        ),
        ("50/s, 10s:50/s", "10 s at 50/s"),
        (
            "100/s,1m:100/s,1000/s,10s:1000/s,100/s,1m:100/s",
            "60 s at 100/s, 10 s at 1000/s, 60 s at 100/s",
        ),
        ("10s:60/m", "10 s from 0/s to 1/s"),
        ("0s:20/s,10s:20/s,10s:0", "10 s at 20/s, 10 s from 20/s to 0/s"),
        ("0/s,1m30s:7/s", "90 s from 0/s to 7/s"),
    ],
)
def test_durations_and_levels_make_a_rate(text: str, described: str) -> None:
    profile = parse_stages(text)
    assert isinstance(profile, StagedRate)
    assert profile.describe() == described


@pytest.mark.parametrize("unit", ["u", "user", "users", " users"])
def test_a_level_of_users_makes_the_closed_model(unit: str) -> None:
    profile = parse_stages(f"30s:50{unit}, 1m:50{unit}, 30s:0")
    assert isinstance(profile, StagedUsers)
    assert profile.peak == 50


def test_arrivals_may_be_random() -> None:
    profile = parse_stages("10s:5/s", arrivals="poisson")
    assert isinstance(profile, StagedRate)
    assert profile.arrivals == "poisson"
    with pytest.raises(UsageError, match="Poisson arrivals belong to a rate"):
        parse_stages("10s:5u", arrivals="poisson")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("30s:200", "'30s:200' has no level with its unit"),
        ("30s:", "'30s:' has no level"),
        ("", "'' has no level"),
        ("30s:200/s,10s:5u", "mix a rate with users"),
        ("soon:200/s", "'soon' is no duration"),
        ("30s:fast/s", "'fast/s' is no rate"),
        ("200/s", "last no time"),
        ("30s:0/s", "never rise above zero"),
        ("30s:1.5u", "has no level with its unit"),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_part_and_the_form(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why) as caught:
        parse_stages(text)
    assert caught.value.hint
