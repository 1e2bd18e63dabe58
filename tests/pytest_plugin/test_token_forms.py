"""Whose token is which, and what a tampered one looks like."""

import base64

from hypothesis import given, settings
from hypothesis import strategies as st

from withstand.client.identity import Identity, jwt_claims
from withstand.pytest_plugin.token_forms import (
    admin_of,
    named,
    other_user_of,
    tampered,
    user_of,
)

from .conftest import token_of

ALICE = Identity(name="alice", role="user")
BOB = Identity(name="bob", role="user")
CAROL = Identity(name="carol", role="member")
ROOT = Identity(name="root", role="admin")


def test_a_tampered_token_differs_in_one_bit_of_its_signature() -> None:
    token = token_of("alice@example.com")

    changed = tampered(token)

    head, _, signature = token.rpartition(".")
    changed_head, _, changed_signature = changed.rpartition(".")
    assert changed_head == head
    assert jwt_claims(changed) == jwt_claims(token)
    before, after = (base64.urlsafe_b64decode(s + "==") for s in (signature, changed_signature))
    differing = [(n, a ^ b) for n, (a, b) in enumerate(zip(before, after, strict=True)) if a != b]
    assert differing == [(16, 1)]


@settings(max_examples=50, deadline=None)
@given(st.text(min_size=1, max_size=60))
def test_every_token_comes_out_different_and_no_longer(token: str) -> None:
    assert tampered(token) != token
    assert len(tampered(token)) == len(token)


def test_the_user_is_the_first_with_that_role_else_the_first_who_is_no_admin() -> None:
    assert user_of([ROOT, CAROL, ALICE, BOB]) is ALICE
    assert user_of([ROOT, CAROL]) is CAROL
    assert user_of([ROOT]) is None


def test_the_other_user_has_the_users_role() -> None:
    assert other_user_of([ALICE, ROOT, BOB]) is BOB
    assert other_user_of([ALICE, CAROL, ROOT]) is None
    assert other_user_of([]) is None


def test_the_admin_goes_by_role_or_name() -> None:
    assert admin_of([ALICE, ROOT]) is ROOT
    admin = Identity(name="Admin", role="superuser")
    assert admin_of([ALICE, admin]) is admin
    assert admin_of([ALICE]) is None


def test_a_name_comes_before_a_role() -> None:
    user = Identity(name="user", role="guest")

    assert named([ALICE, user], "user") is user
    assert named([ALICE, BOB], "user") is ALICE
    assert named([ALICE], "admin") is None
