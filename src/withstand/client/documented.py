"""What somebody's document says of logging in, for whoever has only the values. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from withstand.client.login_recipe import LoginRecipe

CLIENT: Final = ("{client_id}", "{client_secret}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Documented:
    """What a document says: how a token is sent (`send_as`, a template), whether by HTTP basic, and
    the login that it describes. `grants` are the token endpoints of OAuth2 by their grant.
    `json_types` are the media types of JSON bodies that have one of their own, by operation:
    `POST /sessions` → `application/vnd.api+json`.
    """

    send_as: str | None = None
    basic: bool = False
    recipe: LoginRecipe | None = None
    grants: Mapping[str, str] | None = None
    json_types: Mapping[str, str] | None = None


NOTHING_DOCUMENTED: Final = Documented()
