"""What is known of an answer by its head, and what only a parser can say."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.load.known_answer import HEAD_END, MAX_KNOWN, KnownAnswers
from withstand.load.measurement import OperationMeasurement
from withstand.load.open_window import OpenWindow
from withstand.load.recorder import OperationRecorder

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"
S = 1_000_000_000


@pytest.mark.parametrize(
    ("data", "status", "known"),
    [
        (OK, 200, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 999\r\n\r\n", 304, True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204, True),
        (b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK, 200, False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200, False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding:chunked\r\n\r\n0\r\n\r\n", 200, False),
        (b"HTTP/1.1  200 OK\r\nContent-Length: 2\r\n\r\nhi", 200, False),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nhi", 200, False),
    ],
)
def test_only_a_head_that_says_all_of_its_answer_is_learned(
    data: bytes, status: int, known: bool
) -> None:
    answers = KnownAnswers()
    answers.learn(data, status)
    assert (answers.find(data) is not None) is known


def test_learning_again_does_not_forget_how_often_an_answer_came() -> None:
    answers = KnownAnswers()
    answers.learn(OK, 200)
    for known in answers:
        known.times = 3
    answers.learn(OK, 200)
    assert [known.times for known in answers] == [3]


def test_an_answer_of_another_length_or_an_error_is_not_known() -> None:
    recorder = OperationRecorder("GET /")
    recorder.learn(OK, 0, 200)
    assert recorder.repeated(OK, 0, 0, 5) is not None
    assert recorder.repeated(OK + b"!", 0, 0, 5) is None
    error = OK.replace(b"200", b"500")
    recorder.learn(error, 0, 500)
    assert recorder.repeated(error, 0, 0, 5) is None
    assert recorder.completed == 1


def test_heads_that_never_come_again_are_learned_up_to_a_limit() -> None:
    window = OpenWindow()
    for number in range(10 * MAX_KNOWN):
        window.learn(OK.replace(b"Content", b"X-Request-Id: %d\r\nContent" % number), 200)
    assert len(window.known) == MAX_KNOWN


def test_heads_that_do_come_again_make_room_for_those_that_follow_them() -> None:
    window = OpenWindow()
    for second in range(3 * MAX_KNOWN):
        data = OK.replace(b"Content", b"Date: %d\r\nContent" % second)
        window.learn(data, 200)
        known = window.known.find(data)
        assert known is window.known.latest is not None
        known.times += 10
    assert window.completed == 30 * MAX_KNOWN
    value = window.value(0, 1)
    assert value.statuses == {200: 30 * MAX_KNOWN}
    assert value.bytes_received == sum(
        10 * len(OK + b"Date: %d\r\n" % second) for second in range(3 * MAX_KNOWN)
    )


answers = st.lists(
    st.tuples(
        st.integers(0, 3 * S),  # intended
        st.just(0) | st.integers(0, S),  # lag
        st.integers(0, S),  # service time
        st.sampled_from([200, 201, 404]),
        st.integers(0, 90),  # which head
        st.integers(0, 2),  # length of the body
    ),
    max_size=200,
)


@given(answers, st.lists(st.integers(0, 199), max_size=4))
def test_known_answers_are_counted_as_all_others_are(
    given: list[tuple[int, int, int, int, int, int]], settle_at: list[int]
) -> None:
    def counted(*, knows: bool) -> OperationMeasurement:
        recorder = OperationRecorder("GET /")
        for index, (intended, lag, service, status, number, length) in enumerate(given):
            head = b"HTTP/1.1 %d W\r\nX: %d\r\nContent-Length: %d" % (status, number, length)
            data = head + HEAD_END + b"x" * length
            sent, end = intended + lag, intended + lag + service
            if not (knows and recorder.repeated(data, intended, sent, end)):
                recorder.response(intended, sent, end, end, status, len(data))
                recorder.learn(data, intended, status)
            if index in settle_at:
                recorder.settle(4 * S)
        assert recorder.completed == len(given)
        return recorder.measurement()

    assert counted(knows=True) == counted(knows=False)
