"""The pipeline for Azure Pipelines. Pure."""

from typing import Final

from withstand.starter.installation import Installation
from withstand.starter.project import MARK, Project, expected
from withstand.starter.template import filled

_SHARD: Final = "$(System.JobPositionInPhase)/$(System.TotalJobsInPhase)"

_TEMPLATE: Final = """\
<<mark>>
trigger: [<<branch>>]
pr: [<<branch>>]

pool:
  vmImage: ubuntu-latest

variables:
  API_URL: http://127.0.0.1:8000 # where the API is served

jobs:
  - job: shard
    timeoutInMinutes: "30"
    strategy:
      parallel: "<<shards>>"
    steps:
      - task: UsePythonVersion@0
        inputs:
          versionSpec: "3.12"
      - bash: |
          set -e
          <<install>>
        displayName: Install
      # Start the API here, if it is to be tested on this machine:
      # - bash: docker compose up --detach --wait
      <<suite>>
      - bash: <<launcher>>withstand check --shard "<<shard>>" --report-dir shard/check
        displayName: Check
        condition: succeededOrFailed() # also when tests have failed
        # env: # secrets reach a step by name only
        #   ALICE_PASSWORD: $(ALICE_PASSWORD)
      - publish: shard
        artifact: withstand-shard-$(System.JobPositionInPhase)
        condition: succeededOrFailed()

  - job: report
    dependsOn: shard
    condition: succeededOrFailed()
    timeoutInMinutes: "10"
    steps:
      - task: UsePythonVersion@0
        inputs:
          versionSpec: "3.12"
      - bash: |
          set -e
          <<install>>
        displayName: Install
      - task: DownloadPipelineArtifact@2
        inputs:
          targetPath: shards
          itemPattern: withstand-shard-*/**
      - bash: |
          code=0
          <<launcher>>withstand merge shards/* --report-dir report <<expected>> \\
            --junit report/checks.xml \\
            --markdown report/summary.md --annotations azure 2>&1 || code=$?
          if [ -f report/summary.md ]; then
            echo "##vso[task.uploadsummary]$PWD/report/summary.md"
          fi
          exit "$code"
        displayName: Merge
      - task: PublishTestResults@2
        condition: succeededOrFailed()
        inputs:
          testResultsFormat: JUnit
          testResultsFiles: report/*.xml
          testRunTitle: Withstand
      - publish: report
        artifact: withstand-report
        condition: succeededOrFailed()
"""


def azure_pipeline(project: Project, installation: Installation, *, shards: int) -> str:
    """Parallel jobs, one for each shard; one job merges them and shows what they found."""
    suite = [
        "- bash: |",
        f'    {installation.launcher}pytest --shard "{_SHARD}" \\',
        "      --withstand-report-dir shard/suite --junitxml shard/suite/junit.xml",
        "  displayName: Tests",
    ]
    return filled(
        _TEMPLATE,
        {
            "shards": str(shards),
            "mark": MARK,
            "branch": project.branch,
            "launcher": installation.launcher,
            "expected": expected(project),
            "shard": _SHARD,
        },
        {"install": installation.commands, "suite": suite if project.has_suite else []},
    )
