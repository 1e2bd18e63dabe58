"""The workflow for GitHub Actions. Pure."""

from typing import Final

from withstand.starter.installation import Installation
from withstand.starter.project import MARK, Project, expected
from withstand.starter.template import filled

# Full commits, because a tag can be moved. v6 and later run on the Node that runners have today.
_CHECKOUT: Final = "actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2"
_PYTHON: Final = "actions/setup-python@a309ff8b426b58ec0e2a45f0f869d46889d02405 # v6.2.0"
_UPLOAD: Final = "actions/upload-artifact@b7c566a772e6b6bfb58ed0dc250532a479d7789f # v6.0.0"
_DOWNLOAD: Final = "actions/download-artifact@37930b1c2abaa49bbe596cd826c3c89aef350131 # v7.0.0"
_SARIF: Final = (
    "github/codeql-action/upload-sarif@8aad20d150bbac5944a9f9d289da16a4b0d87c1e # v4.36.2"
)

_TEMPLATE: Final = """\
<<mark>>
name: Withstand

on:
  push:
    branches: [<<branch>>]
  pull_request:

permissions:
  contents: read

concurrency: # two runs would be load on each other
  group: ${{ github.workflow }}-${{ github.ref }}
  cancel-in-progress: ${{ github.event_name == 'pull_request' }}

env:
  API_URL: ${{ vars.API_URL || 'http://127.0.0.1:8000' }} # a variable of the repository
  <<variables>>

jobs:
  shard:
    name: Shard ${{ matrix.shard }} of <<shards>>
    runs-on: ubuntu-latest
    timeout-minutes: 30
    strategy:
      fail-fast: false # the report wants every shard
      matrix:
        shard: [<<numbers>>]
    env:
      SHARD: ${{ matrix.shard }}/<<shards>>
      # ALICE_PASSWORD: ${{ secrets.ALICE_PASSWORD }}
    steps:
      <<prepare>>
      # Start the API here, if it is to be tested on this machine:
      # - run: docker compose up --detach --wait
      <<suite>>
      - if: ${{ !cancelled() }} # also when tests have failed
        run: <<launcher>>withstand check --shard "$SHARD" --report-dir shard/check
      - if: ${{ !cancelled() }}
        uses: <<upload>>
        with:
          name: withstand-shard-${{ matrix.shard }}
          path: shard/

  report:
    name: Report
    needs: shard
    if: ${{ !cancelled() }}
    runs-on: ubuntu-latest
    timeout-minutes: 10
    permissions:
      contents: read
      actions: read # what the upload to code scanning reads in private repositories
      security-events: write # the upload
    steps:
      <<prepare>>
      - uses: <<download>>
        with:
          pattern: withstand-shard-*
          path: shards
      - run: |
          <<launcher>>withstand merge shards/* --report-dir report <<expected>> \\
            --annotations github --markdown "$GITHUB_STEP_SUMMARY"
      - if: ${{ !cancelled() && hashFiles('report/results.sarif') != '' }}
        continue-on-error: true # pull requests from forks may not, and have the summary
        uses: <<sarif>>
        with:
          sarif_file: report/results.sarif
      - if: ${{ !cancelled() }}
        uses: <<upload>>
        with:
          name: withstand-report
          path: report/
"""

# What every job begins with.
_PREPARE: Final = """\
- uses: <<checkout>>
  with:
    persist-credentials: false
- uses: <<python>>
  with:
    python-version: "3.12"
- run: |
    <<install>>
"""


def github_workflow(project: Project, installation: Installation, *, shards: int) -> str:
    """A matrix of shards, each with an artifact; one job merges them and shows what they found."""
    suite = (
        f'- run: {installation.launcher}pytest --shard "$SHARD" --withstand-report-dir shard/suite'
    )
    words = {
        "shards": str(shards),
        "numbers": ", ".join(map(str, range(1, shards + 1))),
        "mark": MARK,
        "branch": project.branch,
        "launcher": installation.launcher,
        "expected": expected(project),
        "checkout": _CHECKOUT,
        "python": _PYTHON,
        "upload": _UPLOAD,
        "download": _DOWNLOAD,
        "sarif": _SARIF,
    }
    prepare = filled(_PREPARE, words, {"install": installation.commands})
    blocks = {
        "prepare": prepare.splitlines(),
        "suite": [suite] if project.has_suite else [],
        "variables": [f"{name}: ${{{{ vars.{name} }}}}" for name in installation.variables],
    }
    return filled(_TEMPLATE, words, blocks)
