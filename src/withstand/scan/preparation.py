"""Requests that are known to succeed, for whoever wants to send them again: the load journey."""

from collections.abc import Mapping
from dataclasses import dataclass

from withstand.client.exchange import Request
from withstand.client.transport import Transport
from withstand.openapi.request_builder import RequestBuilder
from withstand.scan import groundwork as ground_rules
from withstand.scan.baselines import take_baselines
from withstand.scan.courier import Courier
from withstand.scan.groundwork import Groundwork
from withstand.scan.plan import ScanPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Operation key → requests that got a 2xx just now, and why other operations have none."""

    requests: Mapping[str, tuple[Request, ...]]
    missing: Mapping[str, str]


async def prepared_requests(plan: ScanPlan, transport: Transport) -> Prepared:
    """Logs in and takes a baseline of every operation of the plan's API.

    Raises TargetUnreachable and IdentityBroken.
    """
    courier = Courier(transport, plan.budget)
    ground = Groundwork(
        builder=RequestBuilder(plan.api, base_path=plan.target.base_path, nonce=plan.nonce)
    )
    await ground_rules.reach(plan, courier)
    await ground_rules.log_everybody_in(plan, ground, courier)
    await take_baselines(plan, ground, courier)
    return Prepared(
        requests={key: (found.exchange.request,) for key, found in ground.baselines.items()},
        missing=dict(ground.missing),
    )
