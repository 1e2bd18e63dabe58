"""What a check is given: one operation with its positive control, and everybody who may ask. Pure.

A subject exists only where the scan has done its groundwork: identities are logged in and healthy,
and `baseline` holds a request that an authorised identity sent in this run and that succeeded.
"""

from collections.abc import Callable, Mapping, MutableMapping
from dataclasses import dataclass, field

from withstand.client.exchange import Exchange, Request, Response
from withstand.client.identity import Identity, LoginRecipe, stripped
from withstand.client.soft_errors import says_no
from withstand.client.target import Target
from withstand.openapi.operation import Api, Operation
from withstand.openapi.request_builder import Built, RequestBuilder, Slot
from withstand.openapi.value_pool import ValuePool
from withstand.scan.access_matrix import AccessRow
from withstand.scan.answers.similarity import normalised
from withstand.scan.made import Made
from withstand.scan.policy import Policy


@dataclass(frozen=True, slots=True, kw_only=True)
class Baseline:
    """The positive control of an operation: who sent what, and the 2xx that came back.

    `again` is a second exchange of the same request where repeating it is harmless: what differs
    between the two is volatile and no evidence of anything. `fixed` are the inputs without which
    it would not succeed: a login's name and password.
    """

    operation: Operation
    identity: str | None  # None: the operation succeeded anonymously
    built: Built
    exchange: Exchange
    again: Exchange | None = None
    fixed: Mapping[Slot, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The operation under test (None for a check of the whole API) and its surroundings."""

    api: Api
    target: Target
    policy: Policy
    identities: tuple[Identity, ...]
    builder: RequestBuilder
    pools: Mapping[str, ValuePool]  # by identity name
    nonce: Callable[[], str]  # a fresh canary, "ws" + 24 hex digits, found nowhere else
    operation: Operation | None = None
    baseline: Baseline | None = None
    baselines: Mapping[str, Baseline] = field(default_factory=dict)  # by operation key
    canary: Baseline | None = None  # a secured GET that tells whether an identity is healthy
    observed: tuple[Exchange, ...] = ()  # every exchange of the run so far, bounded
    login: LoginRecipe | None = None
    throwaway: Identity | None = None  # a user of the scan's own; more by the step `SignUp`
    expired_token: str | None = None  # a token that the user says has expired
    public_key: str | None = None  # of the API's tokens: PEM or JWKS, or its path on the API
    plain_target: Target | None = None  # the API's plain-HTTP address, when it has one
    loopback: bool = False
    now_s: float | None = None  # the wall clock, Unix seconds
    access: AccessRow | None = None  # who was served by the operation, where that was observed
    refusals: frozenset[str] = frozenset()  # normalised bodies of known-refused requests (V6)
    spared: MutableMapping[tuple[str, str | None], Made] = field(default_factory=dict)
    """Objects that were to be lost and were not, by operation key and who made them."""
    stalling: MutableMapping[tuple[str, Slot], int] = field(default_factory=dict)
    """How often a text in an input kept the server busy, by operation key."""

    def identity(self, name: str) -> Identity:
        """The identity of that name, the throw-away user included. Raises KeyError."""
        for identity in self._everybody:
            if identity.name == name:
                return identity
        raise KeyError(name)

    @property
    def _everybody(self) -> tuple[Identity, ...]:
        return self.identities if self.throwaway is None else (*self.identities, self.throwaway)

    @property
    def owner(self) -> Identity | None:
        """The identity that sent the baseline."""
        name = self.baseline.identity if self.baseline else None
        return self.identity(name) if name is not None else None

    def peers(self, identity: Identity) -> tuple[Identity, ...]:
        """The other identities of the same role: who must not see this one's objects."""
        return tuple(
            other
            for other in self.identities
            if other.role == identity.role and other.name != identity.name
        )

    def build(
        self,
        operation: Operation | None = None,
        *,
        identity: Identity | None = None,
        replace: Mapping[Slot, object] | None = None,
    ) -> Built:
        """A new request for the operation with fresh canaries and that identity's own values.

        The credential is not applied: `identity.authorize(built.request)`. Raises `Unbuildable`.
        """
        chosen = operation or self.operation
        assert chosen is not None, "a check of the whole API names the operation that it builds"
        pool = self.pools.get(identity.name) if identity else None
        return self.builder.build(chosen, pool, replace=replace or {})

    def anonymous(self) -> Request:
        """The baseline's request without any credential."""
        assert self.baseline is not None, "only checks of one operation have a baseline"
        return self.stripped(self.baseline.exchange.request)

    def stripped(self, request: Request) -> Request:
        """A request without any identity's credential."""
        return stripped(request, self._everybody)

    def seems_done(self, exchange: Exchange) -> bool:
        """Whether an answer says yes: what it says is not yet what has happened."""
        return exchange.succeeded and not (exchange.response and self.refused(exchange.response))

    def refused(self, response: Response) -> bool:
        """Whether a response refuses: 401, 403, 404, a redirect that leads to no page that says
        yes (`withstand.scan.answers.landing`), or an error in a 2xx (V6).
        """
        if response.status in {401, 403, 404} or response.accepted is False:
            return True
        if 300 <= response.status < 400 and not response.succeeded:
            return True
        return response.succeeded and (normalised(response) in self.refusals or says_no(response))
