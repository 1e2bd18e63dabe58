"""Requests that are known to succeed, for whoever wants to send them again: the load journey."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from withstand.client.exchange import Request
from withstand.client.identity import Credential, Identity, LoginRecipe
from withstand.client.transport import Transport
from withstand.errors import IdentityBroken, RunVoid, UsageError
from withstand.openapi.operation import Api
from withstand.openapi.request_builder import RequestBuilder
from withstand.scan.groundwork import identities
from withstand.scan.groundwork.baselines import take_baselines
from withstand.scan.groundwork.ground import Groundwork
from withstand.scan.plan import ScanPlan
from withstand.scan.policy import matches
from withstand.scan.wire.courier import Budget, Courier
from withstand.scan.wire.login import log_in


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Operation key → requests that got a 2xx just now, and why other operations have none.

    `expires_at_s` is the Unix time at which the first token in them expires; None when none says.
    """

    requests: Mapping[str, tuple[Request, ...]]
    missing: Mapping[str, str]
    expires_at_s: float | None = None

    def require(self, patterns: tuple[str, ...]) -> None:
        """Raises RunVoid when all that a key pattern chose has no request."""
        for pattern in patterns:
            if not any(matches(pattern, key) for key in self.requests):
                missing = self.missing.items()
                reasons = "; ".join(
                    f"{key}: {why}" for key, why in missing if matches(pattern, key)
                )
                raise RunVoid(
                    f"no operation answered a first request: {reasons}",
                    hint="give an identity that may call it, or name others with --operation",
                )


def chosen_operations(api: Api, patterns: tuple[str, ...]) -> Api:
    """The API with only the operations that a load may call: the named ones, else every read."""
    if not patterns:
        return replace(
            api, operations=tuple(op for op in api.operations if op.method == "GET" and op.is_read)
        )
    for pattern in patterns:
        if not any(matches(pattern, operation.key) for operation in api.operations):
            raise UsageError(
                f"no operation of the document is called {pattern!r}",
                hint=f"it has {first_keys(api)}",
            )
    return replace(
        api,
        operations=tuple(
            op for op in api.operations if any(matches(pattern, op.key) for pattern in patterns)
        ),
    )


def first_keys(api: Api) -> str:
    """Some operations that there are, for whoever named one that is not."""
    keys = [operation.key for operation in api.operations]
    return ", ".join(keys[:8]) + (" …" if len(keys) > 8 else "")


async def prepared_requests(plan: ScanPlan, transport: Transport, *, now_s: float) -> Prepared:
    """Logs in and takes a baseline of every operation of the plan's API. `now_s` is the time, in
    Unix seconds, from which on a token is good for as long as its login says.

    Raises TargetUnreachable and IdentityBroken.
    """
    courier = Courier(transport, plan.budget, target=plan.target)
    ground = Groundwork(
        builder=RequestBuilder(
            plan.api, base_path=plan.target.base_path, nonce=plan.nonce, given=plan.given
        )
    )
    await identities.reach(plan, courier)
    await identities.log_everybody_in(plan, ground, courier)
    await identities.sign_somebody_up(plan, ground, courier)
    await take_baselines(plan, ground, courier)
    return Prepared(
        requests={key: (found.exchange.request,) for key, found in ground.baselines.items()},
        missing=dict(ground.missing),
        expires_at_s=_first_expiry_s(ground, now_s),
    )


async def logged_in(
    identities: tuple[Identity, ...],
    recipe: LoginRecipe | None,
    transport: Transport,
    *,
    base_path: str = "",
) -> tuple[Identity, ...]:
    """The identities with a credential each. Raises IdentityBroken naming those without, and
    TargetUnreachable.
    """
    courier = Courier(transport, Budget())
    ready, problems = [], []
    for identity in identities:
        if identity.credential is None:
            got = await log_in(recipe, identity, courier, base_path=base_path)
            if isinstance(got, Credential):
                identity = identity.logged_in(got)
            else:
                problems.append(f"{identity.name}: {got}")
        ready.append(identity)
    if problems:
        raise IdentityBroken(
            "cannot log in as " + "; ".join(problems),
            hint="check the password and [login] in the configuration, then run again",
        )
    return tuple(ready)


def first_expiry_s(identities: Iterable[Identity], *, logged_in_s: float) -> float | None:
    """When the first of their tokens expires, Unix seconds; None when neither a token nor its login
    said. `logged_in_s` is a time that no login was before.
    """
    found: list[float] = []
    for credential in (identity.credential for identity in identities):
        if credential is None:
            continue
        if credential.expires_at_s is not None:
            found.append(credential.expires_at_s)
        elif credential.lifetime_s is not None:
            found.append(logged_in_s + credential.lifetime_s)
    return min(found, default=None)


def _first_expiry_s(ground: Groundwork, began_at_s: float) -> float | None:
    senders = {found.exchange.identity for found in ground.baselines.values()}
    return first_expiry_s(
        (identity for name, identity in ground.identities.items() if name in senders),
        logged_in_s=began_at_s,
    )
