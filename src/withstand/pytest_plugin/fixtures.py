"""The fixtures.

They hang together as `withstand_settings` → `api_url` → `tokens` → `api_client`; a conftest.py can
replace any of them. All but the clients live as long as the session.
"""

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.target import Target
from withstand.errors import WithstandError
from withstand.pytest_plugin import token_forms
from withstand.pytest_plugin.options import read_settings
from withstand.pytest_plugin.run_record import RUN
from withstand.pytest_plugin.token_store import MemoryStore, SharedStore
from withstand.pytest_plugin.tokens import NotConfiguredError, Tokens

if TYPE_CHECKING:
    from withstand.pytest_plugin.api_client import ApiClient
    from withstand.settings import Settings

_IDENTITY_LINE = '{name} = {{ role = "{role}", email = "…", password = "…" }}'


@pytest.fixture(scope="session")
def withstand_settings(pytestconfig: pytest.Config) -> "Settings":
    """The settings of this run: file, environment and options together."""
    with _explained():
        return read_settings(pytestconfig)


@pytest.fixture(scope="session")
def api_url(withstand_settings: "Settings") -> str:
    """The base URL of the API under test, without a trailing slash."""
    with _explained():
        return withstand_settings.target().base_url


@pytest.fixture(scope="session")
def _withstand_target(
    api_url: str, withstand_settings: "Settings", pytestconfig: pytest.Config
) -> Target:
    from withstand.pytest_plugin.login import require_reachable

    with _explained():
        target = _target_at(api_url, withstand_settings, pytestconfig)
        require_reachable(target)
        return target


@pytest.fixture(scope="session")
def tokens(
    _withstand_target: Target, withstand_settings: "Settings", pytestconfig: pytest.Config
) -> Mapping[str, str]:
    """Identity name → token; looking one up logs that identity in, once per run."""
    from withstand.pytest_plugin.login import log_in

    target = _withstand_target
    run = pytestconfig.stash[RUN]
    with _explained():
        return Tokens(
            identities=withstand_settings.identities(),
            recipe=withstand_settings.login(),
            configured_expired_token=withstand_settings.expired_token,
            log_in=lambda recipe, who, short: log_in(
                target, recipe, who, short_lived=short, timeout_s=withstand_settings.timeout_s
            ),
            store=SharedStore(run.shared_directory) if run.shared_directory else MemoryStore(),
            run=run,
        )


@pytest.fixture
def api_client(
    _withstand_target: Target, tokens: Mapping[str, str], withstand_settings: "Settings"
) -> Iterator["ApiClient"]:
    """An httpx2 client on the API, logged in as the first identity of the configuration.

    An explicit `headers=` replaces the credential: `headers={}` is anonymous. Without identities
    the client is anonymous.
    """
    from withstand.pytest_plugin.api_client import ApiClient

    with _explained():
        name = next(iter(tokens), None)
        credential = None if name is None else _credential(name, tokens, withstand_settings)
    with ApiClient(
        target=_withstand_target, credential=credential, timeout=withstand_settings.timeout_s
    ) as client:
        yield client


@pytest.fixture
def client_as(
    _withstand_target: Target, tokens: Mapping[str, str], withstand_settings: "Settings"
) -> Iterator[Callable[[str], "ApiClient"]]:
    """`client_as("admin")`: a client logged in as the identity of this name, or role."""
    from withstand.pytest_plugin.api_client import ApiClient

    with ExitStack() as stack:

        def logged_in_as(name_or_role: str) -> ApiClient:
            with _explained():
                name = name_or_role
                if name not in tokens:
                    identities = withstand_settings.identities()
                    name = _required(
                        token_forms.named(identities, name_or_role), name_or_role, identities
                    ).name
                credential = _credential(name, tokens, withstand_settings)
            return stack.enter_context(
                ApiClient(
                    target=_withstand_target,
                    credential=credential,
                    timeout=withstand_settings.timeout_s,
                )
            )

        yield logged_in_as


@pytest.fixture(scope="session")
def user_token(tokens: Mapping[str, str], withstand_settings: "Settings") -> str:
    """The token of an ordinary user: the first identity with the role `user`."""
    return _token_of(token_forms.user_of, "user", tokens, withstand_settings)


@pytest.fixture(scope="session")
def other_user_token(tokens: Mapping[str, str], withstand_settings: "Settings") -> str:
    """The token of a second user with the same role as the first."""
    return _token_of(token_forms.other_user_of, "user", tokens, withstand_settings)


@pytest.fixture(scope="session")
def admin_token(tokens: Mapping[str, str], withstand_settings: "Settings") -> str:
    """The token of an identity with the role `admin`."""
    return _token_of(token_forms.admin_of, "admin", tokens, withstand_settings)


@pytest.fixture(scope="session")
def expired_token(tokens: Mapping[str, str], withstand_settings: "Settings") -> str:
    """A token that was good once and has expired."""
    with _explained():
        if not isinstance(tokens, Tokens):
            if withstand_settings.expired_token is None:
                raise NotConfiguredError(
                    "no expired token: the fixture tokens is not Withstand's own",
                    hint='under [login], set expired_token = "…" to one that has expired',
                )
            return withstand_settings.expired_token
        identities = withstand_settings.identities()
        return tokens.expired(token_forms.user_of(identities) or next(iter(identities), None))


@pytest.fixture(scope="session")
def tampered_token(user_token: str) -> str:
    """A good token whose signature was changed by one bit."""
    return token_forms.tampered(user_token)


def _target_at(url: str, settings: "Settings", config: pytest.Config) -> Target:
    if settings.has_target and settings.target().base_url == url:
        return settings.target()
    # A conftest.py says where the API is; the configuration may have no base URL at all.
    return read_settings(config, api_url=url).target()


def _token_of(
    choose: Callable[[Sequence[Identity]], Identity | None],
    role: str,
    tokens: Mapping[str, str],
    settings: "Settings",
) -> str:
    with _explained():
        identities = settings.identities()
        return tokens[_required(choose(identities), role, identities).name]


def _required(identity: Identity | None, wanted: str, identities: Sequence[Identity]) -> Identity:
    if identity is not None:
        return identity
    there = ", ".join(f"{who.name} ({who.role})" for who in identities) or "none"
    count = "second " if any(who.role == wanted for who in identities) else ""
    raise NotConfiguredError(
        f"no {count}identity {wanted!r} is configured (there are: {there})",
        hint="under [identities], add "
        + _IDENTITY_LINE.format(name="another" if count else wanted, role=wanted),
    )


def _credential(name: str, tokens: Mapping[str, str], settings: "Settings") -> Credential:
    if isinstance(tokens, Tokens):
        return tokens.credential(name)
    recipe = settings.login() or LoginRecipe(method="POST", path="/", payload={})
    return recipe.credential_of(tokens[name])


@contextmanager
def _explained() -> Generator[None]:
    """Turns a problem with a remedy into a skip or a failure of one message, without traceback."""
    try:
        yield
    except NotConfiguredError as error:
        raise pytest.skip.Exception(str(error)) from None
    except WithstandError as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None
