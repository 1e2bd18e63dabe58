"""Identities: who uses the API, and what makes a request act as them. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from withstand.client.credential import Credential, jwt_claims, variable_name
from withstand.client.exchange import Request
from withstand.client.login_recipe import LoginRecipe
from withstand.client.token_place import json_path

__all__ = ["Credential", "Identity", "LoginRecipe", "json_path", "jwt_claims", "stripped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """Somebody who uses the API: a name, a role, and what logs them in.

    `fields` fill the placeholders of the login recipe (email, password …). `credential` is None
    until the identity has logged in. `throwaway` marks users the tool created for itself: only
    those may have their password, role or account changed. `login` is a recipe of its own, where it
    logs in otherwise than everybody else.
    """

    name: str
    role: str
    fields: Mapping[str, str] = field(default_factory=dict)
    credential: Credential | None = None
    throwaway: bool = False
    login: LoginRecipe | None = None

    def authorize(self, request: Request) -> Request:
        """The request as this identity sends it."""
        return self.credential.apply(request) if self.credential else request

    def logged_in(self, credential: Credential) -> "Identity":
        """The same identity with a credential."""
        return replace(self, credential=credential)

    @property
    def secrets(self) -> Mapping[str, str]:
        """Secret value → the shell variable that stands for it in everything we print."""
        label = variable_name(self.name)
        found = {
            value: f"$WITHSTAND_{variable_name(key)}_{label}"
            for key, value in self.fields.items()
            if value and any(word in key.lower() for word in _SECRET_FIELDS)
        }
        return found if self.credential is None else {**self.credential.secrets(label), **found}


_SECRET_FIELDS = ("password", "passwd", "pwd", "passphrase", "secret", "token", "key", "pin", "otp")


def stripped(request: Request, identities: Iterable[Identity]) -> Request:
    """A request without the credential of any of them."""
    for identity in identities:
        if identity.credential is not None:
            request = identity.credential.strip(request)
    return request
