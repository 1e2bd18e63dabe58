"""How many processes a load gets follows from its rate, its users and the cores."""

import pytest

from withstand.errors import UsageError
from withstand.load.profile.profile import Closed, ConstantRate, Profile
from withstand.load.profile.rhythm import Pacing, Rhythm, ThinkTime
from withstand.load.workers.process_count import process_count, require_work, shared


def rate(per_s: float) -> Profile:
    return ConstantRate(rate_per_s=per_s, duration_s=10)


def users(number: int, rhythm: Rhythm | None = None) -> Profile:
    return Closed(users=number, duration_s=10, rhythm=rhythm)


SECOND_NS = 1_000_000_000
THINKING = ThinkTime(least_ns=SECOND_NS, most_ns=SECOND_NS)
PACED = Pacing(every_ns=SECOND_NS)


@pytest.mark.parametrize(
    ("profile", "processes"),
    [
        (rate(1), 1),
        (rate(10_000), 1),
        (rate(10_001), 2),
        (rate(65_000), 7),
        (rate(1_000_000), 16),
        (users(1), 1),
        (users(50), 1),
        (users(51), 2),
        (users(10_000, THINKING), 1),
        (users(30_000, THINKING), 3),
        (users(10_000, PACED), 1),
        (users(10_001, PACED), 2),
    ],
)
def test_a_load_gets_a_process_for_every_ten_thousand_requests_a_second_up_to_the_cores(
    profile: Profile, processes: int
) -> None:
    assert process_count(profile, cores=16, local=False) == processes


@pytest.mark.parametrize(("cores", "processes"), [(1, 1), (2, 1), (3, 1), (4, 2), (9, 4)])
def test_a_target_on_this_machine_keeps_half_of_the_cores(cores: int, processes: int) -> None:
    assert process_count(rate(1e6), cores=cores, local=True) == processes


def test_each_process_has_a_connection() -> None:
    assert process_count(rate(1e6), cores=16, local=False, connections=3) == 3


def test_more_processes_than_users_or_connections_are_refused() -> None:
    with pytest.raises(UsageError, match="4 processes cannot share 3 users") as refused:
        require_work(4, users(3), None)
    assert refused.value.hint == "give --processes 3 or fewer"
    with pytest.raises(UsageError, match="2 processes cannot share 1 connection\n"):
        require_work(2, rate(0.5), 1)
    require_work(3, users(3), 3)


def test_shares_of_a_number_add_up_and_differ_by_one_at_most() -> None:
    for total in range(1, 30):
        for of in range(1, total + 1):
            shares = [shared(total, number, of) for number in range(1, of + 1)]
            assert sum(shares) == total
            assert max(shares) - min(shares) <= 1
            assert min(shares) >= 1
