"""Every operation's windows are put away in their turn, however late its answers come."""

from withstand.load.recorder import OperationRecorder
from withstand.load.settler import Settler

S = 1_000_000_000
TIMEOUT_NS = 30 * S


def open_windows(recorder: OperationRecorder) -> int:
    return len(recorder._windows)


def test_a_window_is_put_away_ten_seconds_after_its_end() -> None:
    recorder = OperationRecorder("GET /")
    recorder.response(0, 0, 5, 5, 200)
    settler = Settler(TIMEOUT_NS)
    assert not settler.settle_one([recorder], 11 * S - 1)
    assert settler.settle_one([recorder], 11 * S)
    assert recorder.completed == 1


def test_a_window_that_a_late_answer_opened_again_stays_open_until_none_can_come() -> None:
    recorder = OperationRecorder("GET /")
    settler = Settler(TIMEOUT_NS)
    recorder.response(0, 0, 5, 5, 200)
    assert settler.settle_one([recorder], 11 * S)
    recorder.response(1, 1, 20 * S, 20 * S, 200)
    assert not settler.settle_one([recorder], 66 * S - 1)
    assert settler.settle_one([recorder], 66 * S)
    assert recorder.measurement().statuses == {200: 2}


def test_an_operation_whose_answers_are_late_leaves_the_others_their_turn() -> None:
    slow, other = OperationRecorder("GET /slow"), OperationRecorder("GET /other")
    settler = Settler(TIMEOUT_NS)
    most = 0
    for tick in range(40 * 60):  # for 60 s, every 25 ms
        now_ns = tick * S // 40
        for recorder in (slow, other):
            begun_ns = now_ns - 12 * S
            if begun_ns >= 0:
                recorder.response(begun_ns, begun_ns, now_ns, now_ns, 200)
            recorder.failure(now_ns, now_ns, "refused")  # every window has been put away once
        settler.settle_one((slow, other), now_ns)
        most = max(most, open_windows(other))
    # Those of the last ten seconds, and those that the late answers opened again.
    assert most <= 2 + 10 + 66
    assert abs(open_windows(slow) - open_windows(other)) <= 1


def test_operations_take_turns() -> None:
    recorders = [OperationRecorder("GET /a"), OperationRecorder("GET /b")]
    for recorder in recorders:
        for second in range(5):
            recorder.response(second * S, second * S, second * S + 5, second * S + 5, 200)
    settler = Settler(TIMEOUT_NS)
    left = []
    while settler.settle_one(recorders, 60 * S):
        left.append(tuple(open_windows(recorder) for recorder in recorders))
    assert left[:4] == [(4, 5), (4, 4), (3, 4), (3, 3)]
    assert left[-1] == (0, 0)
