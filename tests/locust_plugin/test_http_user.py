"""Whether a user of HttpUser can tell the client that is put under it from Locust's own.

Both run the same cases against the same server, each in a process of its own since Locust patches
the one that it is imported into. Whatever can be seen of a case has to be the same.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.client.certificates import Certificates, made_in
from tests.locust_plugin.http_cases import CASES

ROOT = Path(__file__).parents[2]
Seen = dict[str, dict[str, Any]]


@contextmanager
def server(files: Certificates) -> Iterator[str]:
    """A server of its own; its ports as JSON."""
    module = "tests.locust_plugin.misbehaving_http_server"
    process = subprocess.Popen(
        [sys.executable, "-m", module, files.authority, files.chain, files.key],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline()
    finally:
        process.kill()
        process.communicate(timeout=20)


def driven(kind: str, files: Certificates) -> Seen:
    """What a client of this kind made of the cases."""
    with server(files) as ports:
        module = "tests.locust_plugin.http_driver"
        run = subprocess.run(
            [sys.executable, "-m", module, kind, ports, files.authority, files.chain, files.key],
            cwd=ROOT,
            env=os.environ | {"GEVENT_RESOLVER": "block"},  # threads are slow to do little
            capture_output=True,
            text=True,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    seen: Seen = json.loads(run.stdout)
    return seen


@pytest.mark.slow
def test_a_user_cannot_tell_the_client_from_locusts_own(tmp_path: Path) -> None:
    files = made_in(tmp_path)
    with ThreadPoolExecutor() as threads:
        stock, fast = threads.map(driven, ("stock", "fast"), (files, files))
    assert set(stock) == set(CASES)
    told = {case for case in CASES if fast[case] != stock[case]}
    assert {case: fast[case] for case in told} == {case: stock[case] for case in told}
