"""What the fixtures look up: targets, tokens, clients, and why there is none.

Apart from `fixtures` because every pytest start imports that one, and most of those runs ask for
no fixture of it.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

import pytest

from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.target import Target
from withstand.errors import UsageError
from withstand.pytest_plugin import token_forms
from withstand.pytest_plugin.api_client import ApiClient
from withstand.pytest_plugin.explained import NotConfiguredError, explained
from withstand.pytest_plugin.login import log_in, require_reachable
from withstand.pytest_plugin.options import read_settings
from withstand.pytest_plugin.redaction import Token
from withstand.pytest_plugin.run_record import RUN
from withstand.pytest_plugin.token_store import MemoryStore, SharedStore
from withstand.pytest_plugin.tokens import Tokens
from withstand.settings import Settings

_IDENTITY_LINE = '{name} = {{ role = "{role}", email = "…", password = "…" }}'


def settings_of(config: pytest.Config) -> Settings:
    """File, environment and options together."""
    with explained():
        settings = read_settings(config)
    secrets = config.stash[RUN].secrets
    if settings.expired_token is not None:
        secrets[settings.expired_token] = "$WITHSTAND_EXPIRED_TOKEN"
    # From here on the settings may be shown, as a local variable of whatever fails. Identities
    # that cannot be read are a problem only of the tests that ask for one.
    with suppress(UsageError):
        for identity in settings.identities():
            secrets.update(identity.secrets)
    return settings


def target_at(url: str, settings: Settings, config: pytest.Config) -> Target:
    """The target of a base URL, which must answer."""
    with explained():
        if settings.has_target and settings.target().base_url == url:
            target = settings.target()
        else:
            # A conftest.py says where the API is; the configuration may have no base URL at all.
            target = read_settings(config, api_url=url).target()
        require_reachable(target)
        return target


def tokens_for(target: Target, settings: Settings, config: pytest.Config) -> Tokens:
    """The tokens of every configured identity, none of them asked for yet."""
    run = config.stash[RUN]
    with explained():
        identities, recipe = _people(settings, target)
        return Tokens(
            identities=identities,
            recipe=recipe,
            configured_expired_token=settings.expired_token,
            log_in=lambda recipe, who, short: log_in(
                target, recipe, who, short_lived=short, timeout_s=settings.timeout_s
            ),
            store=SharedStore(run.shared_directory) if run.shared_directory else MemoryStore(),
            run=run,
        )


def _people(settings: Settings, target: Target) -> tuple[tuple[Identity, ...], LoginRecipe | None]:
    if not settings.wants_document:
        return settings.identities(), settings.login()
    from withstand.settings.plans import people_for  # it imports the journeys

    return people_for(settings, target)


def default_client(
    target: Target, tokens: Mapping[str, str], settings: Settings, config: pytest.Config
) -> ApiClient:
    """A client that acts as the first identity; anonymous without any."""
    with explained():
        name = next(iter(tokens), None)
        credential = None if name is None else _credential(name, tokens, settings, config)
    return _client(target, credential, settings, config)


def client_of(
    name_or_role: str,
    target: Target,
    tokens: Mapping[str, str],
    settings: Settings,
    config: pytest.Config,
) -> ApiClient:
    """A client that acts as the identity of this name, else of this role."""
    with explained():
        name = name_or_role
        if name not in tokens:
            identities = settings.identities()
            chosen = token_forms.named(identities, name_or_role)
            name = _required(chosen, name_or_role, identities).name
        credential = _credential(name, tokens, settings, config)
    return _client(target, credential, settings, config)


def token_of(
    choose: Callable[[Sequence[Identity]], Identity | None],
    role: str,
    tokens: Mapping[str, str],
    settings: Settings,
    config: pytest.Config,
) -> str:
    """The token of the identity that is chosen."""
    with explained():
        identities = settings.identities()
        name = _required(choose(identities), role, identities).name
        return _hidden(tokens[name], name, config)


def tampered_token_of(token: str, config: pytest.Config) -> str:
    """The token with one bit changed: as secret as the token, for who would change it back."""
    return _hidden(token_forms.tampered(token), "tampered", config)


def expired_token_of(tokens: Mapping[str, str], settings: Settings) -> str:
    """A token that has expired, of the user if there is one."""
    with explained():
        if isinstance(tokens, Tokens):
            identities = settings.identities()
            return tokens.expired(token_forms.user_of(identities) or next(iter(identities), None))
        if settings.expired_token is None:
            raise NotConfiguredError(
                "no expired token: the fixture tokens is not Withstand's own",
                hint='under [login], set expired_token = "…" to one that has expired',
            )
        return settings.expired_token


def _client(
    target: Target, credential: Credential | None, settings: Settings, config: pytest.Config
) -> ApiClient:
    return ApiClient(
        target=target,
        credential=credential,
        timeout=settings.timeout_s,
        on_elapsed_ns=config.stash[RUN].note_request,
    )


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


def _credential(
    name: str, tokens: Mapping[str, str], settings: Settings, config: pytest.Config
) -> Credential:
    if isinstance(tokens, Tokens):
        return tokens.credential(name)
    recipe = settings.login() or LoginRecipe(method="POST", path="/", payload={})
    return recipe.credential_of(_hidden(tokens[name], name, config))


def _hidden(token: str, name: str, config: pytest.Config) -> Token:
    """The token, masked from now on; also one that a conftest.py got without `Tokens`."""
    config.stash[RUN].secrets.setdefault(str(token), f"$WITHSTAND_TOKEN_{name.upper()}")
    return Token(token)
