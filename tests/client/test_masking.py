"""No secret is left in anything that is shown, whatever form it has there."""

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from withstand.client.exchange import Exchange, Failure, FailureKind, Request, Response, Timing
from withstand.client.masking import KEPT_BYTES, Mask

PASSWORD = 'pa/ss "wörd" + <50%>'
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbGljZSJ9.c2lnbmF0dXJlLW9mLWFsaWNl"
MASK = Mask({PASSWORD: "$WITHSTAND_PASSWORD_ALICE", TOKEN: "$WITHSTAND_TOKEN_ALICE"})
TIMING = Timing(intended_ns=0, sent_ns=0, first_byte_ns=None, end_ns=0)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


@pytest.mark.parametrize(
    ("shown", "masked"),
    [
        (f"Bearer {TOKEN}", "Bearer $WITHSTAND_TOKEN_ALICE"),
        (f"{TOKEN}/", "$WITHSTAND_TOKEN_ALICE/"),
        (f"{TOKEN}x", "${WITHSTAND_TOKEN_ALICE}x"),
        (f"{TOKEN}_", "${WITHSTAND_TOKEN_ALICE}_"),
        (f"?p={quote(PASSWORD)}&", "?p=$WITHSTAND_PASSWORD_ALICE&"),
        (f"?p={quote(PASSWORD, safe='')}&", "?p=$WITHSTAND_PASSWORD_ALICE&"),
        (f"p={quote_plus(PASSWORD)}", "p=$WITHSTAND_PASSWORD_ALICE"),
        (f"p={quote_plus(PASSWORD)}".replace("%C3%B6", "%c3%b6"), None),
        (json.dumps({"p": PASSWORD}), '{"p": "$WITHSTAND_PASSWORD_ALICE"}'),
        (json.dumps([PASSWORD], ensure_ascii=False), '["$WITHSTAND_PASSWORD_ALICE"]'),
        (json.dumps([PASSWORD]).replace("/", "\\/"), '["$WITHSTAND_PASSWORD_ALICE"]'),
        (html.escape(PASSWORD), "$WITHSTAND_PASSWORD_ALICE"),
        (b64(PASSWORD), "base64($WITHSTAND_PASSWORD_ALICE)"),
        (
            f"basic  {b64(f'alice:{PASSWORD}')}, x",
            "Basic base64(alice:$WITHSTAND_PASSWORD_ALICE), x",
        ),
        (f"Basic {b64('bob:other')}", f"Basic {b64('bob:other')}"),
        ("Basic !!!!", "Basic !!!!"),
        (f"Basic {TOKEN}", "Basic $WITHSTAND_TOKEN_ALICE"),
        (
            "eyJhbGciOiJub25lIn0.e30.c2lnbmF0dXJlLW9mLWFsaWNl",
            "eyJhbGciOiJub25lIn0.e30.${WITHSTAND_TOKEN_ALICE##*.}",
        ),
        ("nothing secret", "nothing secret"),
    ],
)
def test_a_secret_is_masked_in_every_form(shown: str, masked: str | None) -> None:
    assert MASK.text(shown) == (masked or "p=$WITHSTAND_PASSWORD_ALICE")


def test_the_longest_secret_is_masked_first() -> None:
    mask = Mask({"secret": "$WITHSTAND_A", "secret-of-bob": "$WITHSTAND_B"})
    assert mask.text("secret-of-bob secret") == "$WITHSTAND_B $WITHSTAND_A"


def test_what_stands_for_one_secret_is_not_masked_for_another() -> None:
    mask = Mask({"opensesame": "$WITHSTAND_PASSWORD_ALICE", "ALICE": "$WITHSTAND_PIN_BOB"})
    assert mask.text("opensesame") == "$WITHSTAND_PASSWORD_ALICE"
    assert mask.text(f"Basic {b64('x:opensesame')}") == "Basic base64(x:$WITHSTAND_PASSWORD_ALICE)"


def test_a_short_secret_is_masked_where_it_stands_alone() -> None:
    assert Mask({"12": "$WITHSTAND_PIN"}).text('2012 "12" 12.5 120') == (
        '2012 "$WITHSTAND_PIN" $WITHSTAND_PIN.5 120'
    )


def test_a_mask_without_secrets_changes_nothing() -> None:
    assert Mask({}).text("anything") == "anything"
    assert Mask({"": "$WITHSTAND_EMPTY"}).text("anything") == "anything"


@given(
    st.text(min_size=4, max_size=30).filter(
        lambda text: not set(text) <= set("base64()$WITHSTAND_X")
    ),
    st.text(max_size=20),
)
def test_no_secret_survives_in_any_form(secret: str, around: str) -> None:
    mask = Mask({secret: "$WITHSTAND_X"})
    for form in (secret, quote(secret, safe=""), json.dumps(secret)[1:-1]):
        shown = mask.text(f"{around} {form} {around}").replace("$WITHSTAND_X", "\0")
        assert form not in shown.replace("\0", "") or form in f"{around}  {around}"


def test_an_exchange_is_masked_on_both_sides() -> None:
    exchange = Exchange(
        request=Request(
            method="POST",
            path=f"/login?token={TOKEN}",
            headers=(("Authorization", f"Bearer {TOKEN}"), (TOKEN, "x")),
            body=json.dumps({"password": PASSWORD}).encode() + b"\xff",
        ),
        outcome=Response(
            status=200,
            reason=TOKEN,
            headers=(("Set-Cookie", f"t={TOKEN}; Secure"),),
            body=f"token {TOKEN}".encode() + b"\xff",
        ),
        timing=TIMING,
        identity="alice",
    )
    masked = MASK.exchange(exchange)
    assert masked == Exchange(
        request=Request(
            method="POST",
            path="/login?token=$WITHSTAND_TOKEN_ALICE",
            headers=(
                ("Authorization", "Bearer $WITHSTAND_TOKEN_ALICE"),
                ("$WITHSTAND_TOKEN_ALICE", "x"),
            ),
            body=b'{"password": "$WITHSTAND_PASSWORD_ALICE"}\xff',
        ),
        outcome=Response(
            status=200,
            reason="$WITHSTAND_TOKEN_ALICE",
            headers=(("Set-Cookie", "t=$WITHSTAND_TOKEN_ALICE; Secure"),),
            body=b"token $WITHSTAND_TOKEN_ALICE\xff",
        ),
        timing=TIMING,
        identity="alice",
    )
    failed = Failure(kind=FailureKind.TLS, detail=f"?{TOKEN}")
    masked = MASK.exchange(Exchange(request=exchange.request, outcome=failed, timing=TIMING))
    assert str(masked.outcome) == "tls: ?$WITHSTAND_TOKEN_ALICE"


def test_a_long_body_is_cut_around_what_matters() -> None:
    body = b"a" * 20_000 + b"STACK TRACE" + b"z" * 30_000
    cut = MASK.body(body, "STACK TRACE")
    assert b"aSTACK TRACEz" in cut
    before, after = 20_005 - KEPT_BYTES // 2, 30_006 - KEPT_BYTES // 2
    assert cut.startswith(f"[… {before:,} bytes left out …] aaa".encode())
    assert cut.endswith(f"zzz [… {after:,} bytes left out …]".encode())
    assert len(cut) < KEPT_BYTES + 100


@pytest.mark.parametrize("highlight", [None, "not there", "aaa"])
def test_a_long_body_is_cut_after_its_beginning_where_nothing_else_is_said(
    highlight: str | None,
) -> None:
    cut = MASK.body(b"a" * 10_000, highlight)
    assert cut == b"a" * KEPT_BYTES + " [… 2,000 bytes left out …]".encode()


def test_a_cut_never_splits_a_character_nor_a_secret() -> None:
    assert MASK.body("ä".encode() * 4_001, None).decode().startswith("ä")
    assert "\ufffd" not in MASK.body(b"a" + "€".encode() * 4_001).decode()
    for pad in range(KEPT_BYTES - len(TOKEN) - 5, KEPT_BYTES + 5):
        cut = MASK.body(b"a" * pad + TOKEN.encode() + b"b" * 100)
        assert b"eyJ" not in cut


def test_a_body_within_the_limit_stays_whole() -> None:
    assert MASK.body(b"a" * KEPT_BYTES) == b"a" * KEPT_BYTES
