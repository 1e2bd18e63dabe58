"""Which windows of a running load are counted to their end."""

from withstand.load.profile.profile import ConstantRate
from withstand.load.stress import Settling
from withstand.load.window import Window
from withstand.stats.histogram import Histogram


def window(second: int, requests: int) -> Window:
    return Window(second=second, response_time=Histogram([1_000_000] * requests))


def test_a_window_settles_when_all_that_was_due_in_it_has_ended() -> None:
    settling = Settling(ConstantRate(rate_per_s=3, duration_s=10))
    assert settling.settled({"GET /": (window(0, 2),)}, 1.5) == 0
    assert settling.settled({"GET /": (window(0, 3), window(1, 1))}, 1.5) == 1
    assert settling.settled({"GET /": (window(0, 3), window(1, 3))}, 2.0) == 2


def test_windows_after_one_that_waits_for_an_answer_wait_too() -> None:
    settling = Settling(ConstantRate(rate_per_s=3, duration_s=10))
    windows = (window(0, 2), window(1, 3), window(2, 3))
    assert settling.settled({"GET /": windows}, 3.0) == 0
    assert settling.settled({"GET /": (window(0, 3), *windows[1:])}, 3.0) == 3


def test_operations_count_together_and_a_second_is_over_only_by_the_clock() -> None:
    settling = Settling(ConstantRate(rate_per_s=4, duration_s=10))
    windows = {"GET /a": (window(0, 1), window(1, 2)), "GET /b": (window(0, 3), window(1, 2))}
    assert settling.settled(windows, 0.9) == 0
    assert settling.settled(windows, 1.9) == 1
    assert settling.settled(windows, 2.0) == 2


def test_a_second_without_arrivals_settles_by_the_clock() -> None:
    settling = Settling(ConstantRate(rate_per_s=0.5, duration_s=10))
    assert settling.settled({"GET /": (window(0, 1),)}, 2.0) == 2
    assert settling.settled({"GET /": (window(0, 1),)}, 3.0) == 2
