"""The fixtures.

They hang together as `withstand_settings` → `api_url` → `tokens` → `api_client`; a conftest.py can
replace any of them. All but the clients and `latency` live as long as the session.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from withstand.client.target import Target
    from withstand.pytest_plugin.api_client import ApiClient
    from withstand.pytest_plugin.latency import Latency
    from withstand.settings import Settings

# Every pytest start imports this file, and most of those runs ask for none of its fixtures: what
# they need is imported when they run.


@pytest.fixture(scope="session")
def withstand_settings(pytestconfig: pytest.Config) -> "Settings":
    """The settings of this run: file, environment and options together."""
    from withstand.pytest_plugin import lookups

    return lookups.settings_of(pytestconfig)


@pytest.fixture(scope="session")
def api_url(withstand_settings: "Settings") -> str:
    """The base URL of the API under test, without a trailing slash."""
    from withstand.pytest_plugin.explained import explained

    with explained():
        return withstand_settings.target().base_url


@pytest.fixture(scope="session")
def _withstand_target(
    api_url: str, withstand_settings: "Settings", pytestconfig: pytest.Config
) -> "Target":
    from withstand.pytest_plugin import lookups

    return lookups.target_at(api_url, withstand_settings, pytestconfig)


@pytest.fixture(scope="session")
def tokens(
    _withstand_target: "Target", withstand_settings: "Settings", pytestconfig: pytest.Config
) -> Mapping[str, str]:
    """Identity name → token; looking one up logs that identity in, once per run."""
    from withstand.pytest_plugin import lookups

    return lookups.tokens_for(_withstand_target, withstand_settings, pytestconfig)


@pytest.fixture
def api_client(
    _withstand_target: "Target",
    tokens: Mapping[str, str],
    withstand_settings: "Settings",
    pytestconfig: pytest.Config,
) -> Iterator["ApiClient"]:
    """An httpx2 client on the API, logged in as the first identity of the configuration.

    An explicit `headers=` replaces the credential: `headers={}` is anonymous. Without identities
    the client is anonymous.
    """
    from withstand.pytest_plugin import lookups

    with lookups.default_client(
        _withstand_target, tokens, withstand_settings, pytestconfig
    ) as client:
        yield client


@pytest.fixture
def client_as(
    _withstand_target: "Target",
    tokens: Mapping[str, str],
    withstand_settings: "Settings",
    pytestconfig: pytest.Config,
) -> Iterator[Callable[[str], "ApiClient"]]:
    """`client_as("admin")`: a client logged in as the identity of this name, or role."""
    from withstand.pytest_plugin import lookups

    with ExitStack() as stack:
        yield lambda name_or_role: stack.enter_context(
            lookups.client_of(
                name_or_role, _withstand_target, tokens, withstand_settings, pytestconfig
            )
        )


@pytest.fixture
def latency(request: pytest.FixtureRequest) -> "Latency":
    """`latency(lambda: api_client.get("/users"), p95="200ms")` repeats the call until it is sure.

    The objectives are those of the marker `performance` and of the keywords. A breach fails the
    test. What comes back has the verdict, quantiles, intervals and the last call's result.
    """
    from withstand.pytest_plugin.latency import Latency

    return Latency(request.node)


@pytest.fixture(scope="session")
def user_token(
    tokens: Mapping[str, str], withstand_settings: "Settings", pytestconfig: pytest.Config
) -> str:
    """The token of an ordinary user: the first identity with the role `user`."""
    from withstand.pytest_plugin import lookups, token_forms

    return lookups.token_of(token_forms.user_of, "user", tokens, withstand_settings, pytestconfig)


@pytest.fixture(scope="session")
def other_user_token(
    tokens: Mapping[str, str], withstand_settings: "Settings", pytestconfig: pytest.Config
) -> str:
    """The token of a second user with the same role as the first."""
    from withstand.pytest_plugin import lookups, token_forms

    return lookups.token_of(
        token_forms.other_user_of, "user", tokens, withstand_settings, pytestconfig
    )


@pytest.fixture(scope="session")
def admin_token(
    tokens: Mapping[str, str], withstand_settings: "Settings", pytestconfig: pytest.Config
) -> str:
    """The token of an identity with the role `admin`."""
    from withstand.pytest_plugin import lookups, token_forms

    return lookups.token_of(token_forms.admin_of, "admin", tokens, withstand_settings, pytestconfig)


@pytest.fixture(scope="session")
def expired_token(tokens: Mapping[str, str], withstand_settings: "Settings") -> str:
    """A token that was good once and has expired."""
    from withstand.pytest_plugin import lookups

    return lookups.expired_token_of(tokens, withstand_settings)


@pytest.fixture(scope="session")
def tampered_token(user_token: str, pytestconfig: pytest.Config) -> str:
    """A good token whose signature was changed by one bit."""
    from withstand.pytest_plugin import lookups

    return lookups.tampered_token_of(user_token, pytestconfig)
