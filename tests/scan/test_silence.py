"""The careful builds of both APIs give a scan nothing to say, and are as they were afterwards.

`python -m benchmarks.scan.silence` does the same twenty times, with and without a bad network.
"""

import pytest
from benchmarks.scan.apis import APIS, running
from benchmarks.scan.one_scan import scanned
from benchmarks.scan.people import belongings

from tests.scan.noisy_proxy import Noise, noisy
from withstand.scan.records.record import CoverageState

pytestmark = pytest.mark.slow

MOST_REQUESTS = 1_500  # of a scan of the demo


@pytest.mark.parametrize("api", APIS)
def test_nothing_is_found_where_nothing_is_wrong_and_everybody_keeps_what_they_have(
    api: str,
) -> None:
    with running(api) as served:
        before = belongings(api, served.url)
        scan = scanned(served.config, profile="ci")
        after = belongings(api, served.url)

    assert scan.findings == set()
    assert scan.record.void is None
    assert after == before
    if api == "shop":
        assert scan.record.requests <= MOST_REQUESTS


def test_a_bad_network_leaves_things_undecided_and_never_found() -> None:
    noise = Noise(slow=0.05, slow_s=0.05, unavailable=0.01, refused=0.003, limit=250, seed=4)
    with running("shop") as served, noisy(served.url, noise) as proxy:
        scan = scanned(served.through(proxy.port), profile="ci")

    assert proxy.unavailable
    assert proxy.limited
    assert proxy.slow
    assert scan.findings == set()
    assert scan.record.void is None
    assert any(row.state is CoverageState.PASSED for row in scan.record.coverage)
