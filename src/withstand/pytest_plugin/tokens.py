"""The tokens of the configured identities, each logged in when it is first asked for."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict

from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.errors import IdentityBroken, WithstandError
from withstand.pytest_plugin.explained import NotConfiguredError, explained
from withstand.pytest_plugin.redaction import Token
from withstand.pytest_plugin.run_record import RunRecord
from withstand.pytest_plugin.token_store import Entry, TokenStore

LogIn = Callable[[LoginRecipe, Identity, bool], Credential]

_LONGEST_WAIT_S = 120.0
_POLL_S = 0.1

LOGIN_LINES = (
    '[login]\nrequest = "POST /auth/token"\n'
    'json = { email = "{email}", password = "{password}" }\ntoken = "$.access_token"'
)


class Tokens(Mapping[str, str]):
    """Identity name → token. Looking one up logs that identity in, once per run.

    `log_in` takes the recipe, the identity, and whether the token should be short-lived. A token
    whose `exp` has passed is replaced by a new one.
    """

    def __init__(
        self,
        *,
        identities: Sequence[Identity],
        recipe: LoginRecipe | None,
        configured_expired_token: str | None,
        log_in: LogIn,
        store: TokenStore,
        run: RunRecord,
    ) -> None:
        self._identities = {identity.name: identity for identity in identities}
        self._recipe = recipe
        self._configured_expired_token = configured_expired_token
        self._log_in = log_in
        self._store = store
        self._run = run
        for identity in identities:
            run.secrets.update(identity.secrets)

    def __iter__(self) -> Iterator[str]:
        return iter(self._identities)

    def __len__(self) -> int:
        return len(self._identities)

    def __getitem__(self, name: str) -> str:
        with explained():
            token = self.credential(name).token
            if token is None:
                raise NotConfiguredError(
                    f"{name} has a credential without a token of its own",
                    hint=f"give {name} a login under [login]",
                )
            return Token(token)

    def credential(self, name: str) -> Credential:
        """What makes a request act as this identity. Raises KeyError for an unknown name."""
        identity = self._identities[name]
        if identity.credential is not None:
            self._note(identity, identity.credential)
            return identity.credential
        recipe = identity.login or self._required_recipe(name)
        entry = self._store.entry(
            name, usable=_not_expired, make=lambda: self._try(recipe, identity, short_lived=False)
        )
        credential = _credential_of(entry)
        self._note(identity, credential)
        return credential

    def expired(self, identity: Identity | None) -> str:
        """A token that the API has to refuse for its age.

        It is the configured one, or one from a short-lived login of this identity, returned when
        its expiry and the API's leeway have passed. Raises NotConfiguredError.
        """
        if self._configured_expired_token is not None:
            self._run.secrets[self._configured_expired_token] = "$WITHSTAND_EXPIRED_TOKEN"
            return Token(self._configured_expired_token)
        recipe = self._recipe
        if recipe is None or recipe.short_lived is None or identity is None:
            raise NotConfiguredError(
                "no expired token: nothing says how to get one",
                hint="under [login], set short_lived = { expires_in = 1 } (merged into the "
                'login\'s JSON), or expired_token = "…" to one that has expired',
            )
        entry = self._store.entry(
            f"{identity.name} (short-lived)",
            usable=lambda _: True,
            make=lambda: self._try(recipe, identity, short_lived=True),
        )
        credential = _credential_of(entry)
        self._note(identity, credential)
        _wait_until_expired(credential, recipe.leeway_s)
        return Token(credential.token or "")

    def _required_recipe(self, name: str) -> LoginRecipe:
        if self._recipe is None:
            raise NotConfiguredError(
                f"no token for {name}: nothing says how to log in", hint=LOGIN_LINES
            )
        return self._recipe

    def _try(self, recipe: LoginRecipe, identity: Identity, *, short_lived: bool) -> Entry:
        # A failed login is kept too: every further attempt could lock the account.
        try:
            credential = self._log_in(recipe, identity, short_lived)
        except WithstandError as error:
            return Entry(problem=error.message, hint=error.hint)
        return Entry(credential=asdict(credential))

    def _note(self, identity: Identity, credential: Credential) -> None:
        self._run.logins[identity.name] = identity.role
        self._run.secrets.update(identity.logged_in(credential).secrets)


def _not_expired(entry: Entry) -> bool:
    if entry.credential is None:
        return True
    expires_at_s = _credential_of(entry).expires_at_s
    return expires_at_s is None or time.time() < expires_at_s


def _credential_of(entry: Entry) -> Credential:
    kept = entry.credential
    if kept is None:
        raise IdentityBroken(entry.problem or "the login gave no token", hint=entry.hint)
    pairs = {
        name: tuple((key, value) for key, value in kept[name])  # JSON has lists in their place
        for name in ("headers", "cookies", "query")
    }
    return Credential(**{**kept, **pairs})


def _wait_until_expired(credential: Credential, leeway_s: float) -> None:
    expires_at_s = credential.expires_at_s
    if expires_at_s is None:
        raise NotConfiguredError(
            "no expired token: the short-lived token is no JWT with an exp claim",
            hint='under [login], set expired_token = "…" to one that has expired',
        )
    # The claim counts whole seconds, and a token is good until the second has passed.
    dead_at_s = expires_at_s + leeway_s + 1.0
    if dead_at_s - time.time() > _LONGEST_WAIT_S:
        raise NotConfiguredError(
            f"no expired token: the short-lived one is good for another "
            f"{dead_at_s - time.time():.0f} s, and the wait ends at {_LONGEST_WAIT_S:.0f} s",
            hint="under [login], make short_lived shorter or leeway smaller, or set "
            'expired_token = "…" to one that has expired',
        )
    while time.time() < dead_at_s:
        time.sleep(_POLL_S)
