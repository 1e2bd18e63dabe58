"""No input whatever makes the demo fail: the property behind "every 500 is a planted flaw"."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .in_process import InProcess, in_process

FEW = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    # The shop may fill up from one example to the next; no example depends on what is in it.
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

TEXT = st.text(st.characters(), max_size=120)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda parts: st.lists(parts, max_size=4) | st.dictionaries(TEXT, parts, max_size=4),
    max_leaves=8,
)
PROPERTIES = {
    "/users": ["email", "password", "display_name"],
    "/auth/token": ["email", "password", "expires_in"],
    "/orders": ["items", "note"],
}
PARAMETERS = {
    "/products": ["q", "limit", "offset"],
    "/products/SKU-001/label": ["heading"],
    "/manuals": ["name"],
    "/users": ["limit", "offset"],
    "/orders": ["limit", "offset"],
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    with in_process(tmp_path_factory.mktemp("demo")) as started:
        yield started


@FEW
@given(data=st.data(), path=st.sampled_from(sorted(PROPERTIES)))
def test_no_body_makes_it_fail(api: InProcess, data: st.DataObject, path: str) -> None:
    known = st.fixed_dictionaries({}, optional=dict.fromkeys(PROPERTIES[path], JSON))
    body = data.draw(JSON | known)
    # As ASCII, which also carries lone surrogates, and with NaN, which JSON does not allow.
    sent = json.dumps(body)

    answer = api.send(
        "POST", path, as_="alice", content=sent, headers={"Content-Type": "application/json"}
    )

    assert answer.status_code < 500


@FEW
@given(data=st.data(), path=st.sampled_from(sorted(PARAMETERS)))
def test_no_query_makes_it_fail(api: InProcess, data: st.DataObject, path: str) -> None:
    names = PARAMETERS[path]
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=120)
    query = data.draw(st.dictionaries(st.sampled_from(names), text, min_size=1))

    assert api.send("GET", path, as_="alice", params=query).status_code < 500


@FEW
@given(token=st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1))
def test_no_token_makes_it_fail(api: InProcess, token: str) -> None:
    assert api.send("GET", "/users/me", token=token).status_code == 401
