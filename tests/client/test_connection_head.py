"""The head of a response, looked at later."""

from withstand.client.connection_head import final_head, head_text


def test_reason_and_headers_are_found_after_interim_responses_and_before_the_body() -> None:
    data = (
        b"HTTP/1.1 100 Continue\r\nX: 1\r\n\r\n"
        b"HTTP/1.1 404 Not Quite Found\r\nA: 1\r\nB:2  \r\na: 3\r\n\r\nbody\r\n\r\nSet-Cookie: no"
    )
    assert final_head(data) == (
        b"Not Quite Found",
        [(b"A", b"1"), (b"B", b"2"), (b"a", b"3")],
    )
    assert b"Set-Cookie" not in head_text(data)


def test_a_head_without_reason_and_with_folded_lines_is_read() -> None:
    assert final_head(b"HTTP/1.1 200\r\nA: 1\r\n\t2\r\n\r\n") == (b"", [(b"A", b"1 2")])
