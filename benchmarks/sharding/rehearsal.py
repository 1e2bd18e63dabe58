"""A run in four shards, played through on this machine, against the same run in one piece.

    python -m benchmarks.sharding.rehearsal             # every check of the scan, some minutes
    python -m benchmarks.sharding.rehearsal --check sql-injection --shards 3

Each shard is a checkout (git clone) of a small repository, with processes of its own, as in a
matrix of CI jobs: its tests, its part of the scan, its part of a load. Each job has the API to
itself at one address, which is why they take turns here; only the load is sent by all at once.
What they leave behind is merged, and has to say what the undivided run says. It ends with 1 where
it does not.
"""

import argparse
import contextlib
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.sharding.comparison import Rehearsed, differences
from tests.demo.running import RunningDemo, running

from withstand.demo.config import render
from withstand.results import Results
from withstand.results_file import read_results
from withstand.sharding.suite import Outcome

FLAWS = ("order-readable-by-other-user", "password-hash-in-responses")
_SAMPLE = Path(__file__).with_name("sample")
_WITHSTAND = (sys.executable, "-c", "from withstand.cli import main; main()")
_LOAD = ("load", "--rate", "30", "-t", "2s", "--processes", "1")
_OUTCOMES = {0, 1, 3}  # of a run that came to its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    """A folder with a repository and its checkouts, and the port at which the API is served."""

    folder: Path
    port: int
    shards: int
    checks: tuple[str, ...] = ()
    flaws: tuple[str, ...] = FLAWS

    def names(self) -> list[str]:
        """The checkouts of the shards."""
        return [f"shard-{number}" for number in range(1, self.shards + 1)]

    def play(self) -> Rehearsed:
        """Everything once in one piece and once in shards, and the merge."""
        self._repository()
        for name in ("whole", *self.names()):
            sys.stderr.write(f"{name} …\n")
            self._checkout(name)
            self._job(name)
        self._load()
        parts = self.names()
        return Rehearsed(
            whole=self._merged("whole", ["whole/suite", "whole/scan"]),
            merged=self._merged(
                "merged", [f"{n}/{kind}" for n in parts for kind in ("suite", "scan")]
            ),
            whole_load=read_results(self.folder / "whole/load.json"),
            merged_load=self._merged("load", [f"{name}/load.json" for name in parts]),
            part_loads=[read_results(self.folder / f"{name}/load.json") for name in parts],
        )

    def without_one(self) -> tuple[int, str]:
        """Exit code and report of a merge of the tests without those of the last shard."""
        return self._merge("lacking", [f"{name}/suite" for name in self.names()[:-1]])

    def killed(self, whole: Results) -> tuple[str, int, str]:
        """The test before which a shard is killed; exit code and report of the merge with it."""
        assert whole.suite is not None, "the suite was run"
        part = max(whole.suite.parts, key=lambda each: len(each.kept))
        name = f"shard-{part.shard.number}"
        last = [each.nodeid for each in part.finished if each.outcome is Outcome.PASSED][-1]
        with self._served():
            self._pytest(name, "killed", DIES_AT=last)
        parts = [f"{each}/{'killed' if each == name else 'suite'}" for each in self.names()]
        return (last, *self._merge("killed", parts))

    def _repository(self) -> None:
        """A repository as a team has it: tests, configuration, document."""
        origin = self.folder / "origin"
        shutil.copytree(_SAMPLE, origin, ignore=shutil.ignore_patterns("__pycache__"))
        with self._served() as served:
            (origin / "openapi.json").write_bytes(served.client.get("/openapi.json").content)
        config = render(port=self.port, https=False, http_port=None, ca_file=None)
        (origin / "withstand.toml").write_text(config.replace('"/openapi.json"', '"openapi.json"'))
        who = ("-c", "user.name=Rehearsal", "-c", "user.email=rehearsal@example.com")
        for arguments in (("init", "-q"), ("add", "."), (*who, "commit", "-q", "-m", "A shop")):
            self._run(["git", *arguments], origin)

    def _checkout(self, name: str) -> None:
        self._run(["git", "clone", "-q", "origin", name], self.folder)

    def _job(self, name: str) -> None:
        """What a CI job does: the tests, then the scan, against an API of its own."""
        with self._served():
            self._pytest(name, "suite")
            checks = [part for check in self.checks for part in ("--check", check)]
            shard = self._shard(name)
            self._withstand(["scan", "-q", *checks, *shard, "--report-dir", "scan"], name)

    def _load(self) -> None:
        """The load in one piece; then its shards, begun together, as on several machines."""
        with self._served() as served:
            url = f"{served.words['url']}/health"
            began_s = time.monotonic()
            self._withstand([*_LOAD, url, "-q", "--json", "load.json"], "whole")
            start_s = time.time() + 2 * (time.monotonic() - began_s) + 3
            sent = [
                subprocess.Popen(  # noqa: S603 - our own program
                    [
                        *(*_WITHSTAND, *_LOAD, url, "-q", "--json", "load.json"),
                        *("--start-at", f"{start_s:.3f}", *self._shard(name)),
                    ],
                    cwd=self.folder / name,
                    stdout=subprocess.DEVNULL,
                )
                for name in self.names()
            ]
            if any(process.wait(timeout=120) not in _OUTCOMES for process in sent):
                raise SystemExit("a shard of the load failed")

    def _shard(self, name: str) -> list[str]:
        return [] if name == "whole" else ["--shard", f"{name.rpartition('-')[2]}/{self.shards}"]

    def _pytest(self, name: str, into: str, **environ: str) -> None:
        self._run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-n", "0"),
                *("-p", "no:cacheprovider", "-p", "no:randomly"),
                *(*self._shard(name), "--withstand-report-dir", into),
                f"--junitxml={into}/junit.xml",
            ],
            self.folder / name,
            environ=environ,
        )

    def _merged(self, name: str, parts: Sequence[str]) -> Results:
        self._merge(name, parts)
        return read_results(self.folder / f"{name}.json")

    def _merge(self, name: str, parts: Sequence[str]) -> tuple[int, str]:
        done = self._withstand(["merge", *parts, "-o", f"{name}.json"], ".")
        return done.returncode, " ".join((done.stdout + done.stderr).split())

    def _withstand(
        self, arguments: Sequence[str], where: str
    ) -> "subprocess.CompletedProcess[str]":
        return self._run([*_WITHSTAND, *arguments], self.folder / where)

    def _run(
        self, command: Sequence[str], where: Path, *, environ: Mapping[str, str] | None = None
    ) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(  # noqa: S603 - git, pytest and our own program
            command,
            cwd=where,
            env={**os.environ, "CI": "true", **(environ or {})},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        if done.returncode not in {*_OUTCOMES, -9}:
            raise SystemExit(f"{' '.join(command)} in {where}:\n{done.stdout}{done.stderr}")
        return done

    @contextlib.contextmanager
    def _served(self) -> Iterator[RunningDemo]:
        with running("--port", str(self.port), "--flaws", ",".join(self.flaws)) as served:
            yield served


def rehearsal(folder: Path, *, shards: int = 4, checks: Sequence[str] = ()) -> Rehearsal:
    """One in this folder, with the API at a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    return Rehearsal(folder=folder, port=port, shards=shards, checks=tuple(checks))


def main() -> int:
    """Play it, and say what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n\n")[0])
    parser.add_argument("--shards", type=int, default=4)
    parser.add_argument("--check", action="append", default=[], help="only this check; repeatable")
    asked = parser.parse_args()
    if asked.shards < 3:
        parser.error("there must be three shards or more, as one of them goes missing")
    with tempfile.TemporaryDirectory() as folder:
        played = rehearsal(Path(folder), shards=asked.shards, checks=asked.check)
        rehearsed = played.play()
        found = differences(rehearsed)
        lacking = played.without_one()
        last, code, said = played.killed(rehearsed.merged)
    if lacking[0] != 3 or "is missing" not in lacking[1]:
        found.append(f"a merge without the last shard ends with {lacking[0]}: {lacking[1]}")
    if code != 3 or last not in said:
        found.append(f"a merge with a shard that was killed ends with {code}: {said}")
    scan, suite = rehearsed.merged.scan, rehearsed.merged.suite
    assert scan is not None
    assert suite is not None
    sys.stdout.write(
        f"{asked.shards} shards: {len(suite.finished())} tests, {len(scan.coverage)} tests of the "
        f"scan, {len(rehearsed.merged.findings())} findings\n"
        + "".join(f"differs: {each}\n" for each in found)
    )
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main())
