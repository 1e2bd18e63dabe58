"""The settings in force, in the nouns of the layers below."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from withstand.client.documented import NOTHING_DOCUMENTED, Documented
from withstand.client.identity import Identity, LoginRecipe
from withstand.client.proxy import NO_PROXY, Proxy, parse_proxy, proxy_for
from withstand.client.target import Target, parse_target
from withstand.errors import UsageError
from withstand.history.retention import Retention, parse_retention
from withstand.openapi.given_values import GivenValues
from withstand.scan.policy import Policy, Profile
from withstand.scan.probes.public_keys import keys_in
from withstand.scan.records.suppression import Suppression
from withstand.scan.wire.courier import Budget
from withstand.settings.load_defaults import LoadSettings, load_defaults_of
from withstand.settings.people import people_of, recipe_of

if TYPE_CHECKING:  # attrs costs more to import than all the rest of this module
    from withstand.settings.tables import SettingsFile, SuppressionTable

_NS_PER_S = 1_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """File, environment and flags as one. Made by `load_settings`, which has checked them.

    `source` is the file in use, None without one. `document_file` is the OpenAPI document when it
    is a file. `tables` is what was written, with file names made absolute. `proxy_variables` are
    those of the environment. `wfc` are the identities of the file of the Web Fuzzing Commons,
    without their roles; `directory` is where the configuration's own commands run.
    """

    source: str | None
    document_file: str | None
    tables: "SettingsFile"
    proxy_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    wfc: tuple[Identity, ...] = field(default=(), repr=False)
    directory: str = "."

    @property
    def has_target(self) -> bool:
        """Whether anybody gave a base URL."""
        return self.tables.target.base_url is not None

    @property
    def timeout_s(self) -> float:
        """The longest wait for one response, in seconds."""
        return self.tables.target.timeout / _NS_PER_S

    @property
    def connect_timeout_s(self) -> float:
        """The longest wait for a connection, in seconds."""
        return self.tables.target.connect_timeout / _NS_PER_S

    @property
    def expired_token(self) -> str | None:
        """A token that has expired, when the user gave one."""
        return self.tables.login.expired_token if self.tables.login else None

    def public_key(self) -> str | None:
        """The public key of the API's tokens, PEM or JWKS, or its path on the target.

        None when nobody named one. Raises UsageError.
        """
        written = self.tables.security.public_key
        if written is None or not Path(written).is_file():
            return written
        text = Path(written).read_text(encoding="utf-8", errors="replace")
        if not keys_in(text):
            raise UsageError(
                f"{written} holds no public key",
                hint="give a PEM file (-----BEGIN PUBLIC KEY-----) or a JWKS file under [security]",
            )
        return text

    @property
    def openapi_location(self) -> str:
        """Where the document is: an absolute file name, a URL, or a path on the target."""
        return self.document_file or self.tables.target.openapi

    def target(self, *, allow: tuple[str, ...] = ()) -> Target:
        """Where the API is served; hosts in `allow` may be tested besides those of the settings.

        Raises UsageError when nobody gave a base URL, or it may not be tested.
        """
        table = self.tables.target
        if table.base_url is None:
            raise UsageError(
                "no base URL is given",
                hint='set base_url = "http://127.0.0.1:8000" under [target] in withstand.toml, '
                "or the variable WITHSTAND_BASE_URL, "
                "or pass it: --host URL to withstand, --api-url URL to pytest",
            )
        return self._reached(
            parse_target(
                table.base_url,
                allow=(*table.allow, *allow),
                verify=table.verify,
                ca_file=table.ca_file,
            )
        )

    def plain_target(self, *, allow: tuple[str, ...] = ()) -> Target | None:
        """Where the same API answers plain HTTP; None when nobody said. Raises UsageError."""
        table = self.tables.target
        if table.plain_url is None:
            return None
        return self._reached(parse_target(table.plain_url, allow=(*table.allow, *allow)))

    def _reached(self, target: Target) -> Target:
        """The target with the way there, and what TLS needs besides trust."""
        table = self.tables.target
        return replace(
            target,
            cert_file=table.cert,
            key_file=table.key,
            server_name=table.server_name,
            proxy=self._proxy(target),
        )

    def _proxy(self, target: Target) -> Proxy | None:
        written = self.tables.target.proxy
        if written is None:
            return proxy_for(
                target.scheme,
                target.host,
                target.port,
                self.proxy_variables,
                loopback=target.is_loopback,
            )
        return None if written == NO_PROXY else parse_proxy(written, source="target.proxy")

    def login(self, documented: Documented = NOTHING_DOCUMENTED) -> LoginRecipe | None:
        """How an identity gets its credential, with what a document says where the settings do not;
        None where nothing says how. Raises UsageError for a login that lacks something.
        """
        return recipe_of(self.tables.login, documented)

    def identities(self, documented: Documented = NOTHING_DOCUMENTED) -> tuple[Identity, ...]:
        """Everybody in [identities], and in the file of the Web Fuzzing Commons; those with a
        static token have their credential already.
        """
        return people_of(self.tables, self.wfc, documented)

    @property
    def wants_document(self) -> bool:
        """Whether a journey without a document reads it to learn how somebody logs in: where
        nothing else says it, or where the document is a file and so costs no request.
        """
        table, people = self.tables.login, self.tables.identities.values()
        if table is not None and (table.basic or table.wfc is not None):
            return False
        has_login = table is not None and table.request is not None
        said = table is not None and table.send_as is not None
        tokens = all("token" in keys for keys in people)
        return bool(people) and (
            not (has_login or tokens) or (not said and self.document_file is not None)
        )

    @property
    def canary(self) -> str | None:
        """The read that tells a healthy identity from a broken one, when the user named one."""
        return self.tables.login.canary if self.tables.login else None

    def policy(self) -> Policy:
        """Who may do what, and what the scan may do."""
        access = {str(key): roles for key, roles in self.tables.access.items()}
        security = self.tables.security
        return Policy(
            public=access.pop("public", ()),
            never=access.pop("never", ()),
            access=access,
            private=security.private,
            cors_origins=security.cors_origins,
            limits={key: int(limit) for key, limit in security.limits.items()},
            races={str(key): table.race() for key, table in security.races.items()},
            fail_on=security.fail_on,
            profile=security.profile or self._default_profile(),
        )

    @property
    def approved_file(self) -> Path:
        """Where it is approved who may use what, as an absolute file name; it need not exist."""
        return Path(self.tables.security.approved_access)

    def budget(self) -> Budget:
        """How much one scan may send; what is not set stays as the scan has it."""
        table, usual = self.tables.security.budget, Budget()
        return Budget(
            requests=usual.requests if table.requests is None else table.requests,
            duration_s=usual.duration_s if table.duration is None else table.duration / _NS_PER_S,
            requests_per_s=(
                usual.requests_per_s if table.requests_per_s is None else table.requests_per_s
            ),
        )

    def given_values(self) -> GivenValues:
        """Values that the user gives for inputs of requests."""
        return GivenValues(table=dict(self.tables.values))

    def load(self) -> LoadSettings:
        """Defaults of the load verbs."""
        return load_defaults_of(self.tables.load)

    @property
    def history_file(self) -> Path | None:
        """Where runs are remembered, as an absolute file name; None where nobody asked for it."""
        written = self.tables.history.file
        return None if written is None else Path(written)

    def retention(self) -> Retention:
        """How much of the history is kept."""
        keep = self.tables.history.keep
        return Retention() if keep is None else parse_retention(keep)

    def objective_texts(self) -> Mapping[str, tuple[str, ...]]:
        """Operation pattern, or `*` → its objectives as written."""
        return {key: tuple(texts) for key, texts in self.tables.slo.items()}

    @property
    def baseline_file(self) -> Path | None:
        """What says which findings are known, as an absolute file name; None without one."""
        written = self.tables.security.baseline
        return None if written is None else Path(written)

    def suppressions(self) -> tuple[Suppression, ...]:
        """The findings that are accepted, expired ones too: a report names those."""
        return tuple(_suppression(table) for table in self.tables.security.suppress)

    def _default_profile(self) -> Profile:
        url = self.tables.target.base_url
        if url is None:
            return Profile.CI
        return Profile.ABUSE if target_of_url(url).is_loopback else Profile.CI


def target_of_url(url: str) -> Target:
    """What a URL names, whether or not it may be tested. Raises UsageError when it is none."""
    try:
        host = urlsplit(url).hostname
    except ValueError as error:
        raise UsageError(f"the base URL {url!r} is no address: {error}") from None
    return parse_target(url, allow=(host,) if host else ())


def _suppression(table: "SuppressionTable") -> Suppression:
    return Suppression(
        check=table.check,
        reason=table.reason,
        operation=table.operation,
        fingerprint=table.fingerprint,
        expires=table.expires,
    )
