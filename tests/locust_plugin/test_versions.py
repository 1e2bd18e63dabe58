"""A Locust that is not known, or not there, is refused with a sentence."""

import subprocess
import sys

import pytest

_REFUSED = """Error: {}
  → install one of these: pip install "withstand[locust]"
"""


def _imported(locust: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys, types; sys.modules['locust'] = {locust}; import withstand.locust"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize("version", ["2.42.6", "2.42.10.dev3", "3.0.0", "3.0.0.dev1"])
def test_a_locust_outside_of_the_bounds_is_refused(version: str) -> None:
    done = _imported(f"types.SimpleNamespace(__version__={version!r})")
    assert done.returncode == 1
    told = f"this is Locust {version}, and Withstand knows 2.43 and newer, before 3"
    assert done.stderr == _REFUSED.format(told)


def test_that_there_is_no_locust_is_said() -> None:
    done = _imported("None")
    assert done.returncode == 1
    told = "there is no Locust here, and Withstand knows 2.43 and newer, before 3"
    assert done.stderr == _REFUSED.format(told)
