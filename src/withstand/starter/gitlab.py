"""The pipeline for GitLab. Pure."""

from typing import Final

from withstand.starter.installation import Installation
from withstand.starter.project import MARK, Project, expected
from withstand.starter.template import filled

_TEMPLATE: Final = """\
<<mark>>
withstand:
  image: python:3.12
  parallel: <<shards>>
  timeout: 30 minutes
  variables:
    API_URL: http://127.0.0.1:8000 # a variable of the project goes before this one
  before_script:
    <<install>>
    # Start the API here, or name it under `services`, if it is not running elsewhere.
  script:
    <<suite>>
    - |
      <<launcher>>withstand check --shard "$CI_NODE_INDEX/$CI_NODE_TOTAL" \\
        --report-dir "shards/$CI_NODE_INDEX/check" || code=$?
    - exit "${code:-0}"
  artifacts:
    when: always
    paths: [shards/]
    expire_in: 1 week

withstand-report:
  image: python:3.12
  needs: [withstand]
  when: always
  timeout: 10 minutes
  before_script:
    <<install>>
  script:
    - |
      <<launcher>>withstand merge shards/* --report-dir report <<expected>> \\
        --junit report/checks.xml --code-quality report/code-quality.json
  artifacts:
    when: always
    paths: [report/]
    reports:
      junit: report/*.xml
      codequality: report/code-quality.json
"""


def gitlab_pipeline(project: Project, installation: Installation, *, shards: int) -> str:
    """Parallel jobs, one for each shard; one job merges them for the merge request."""
    suite = [
        "- |",
        f'  {installation.launcher}pytest --shard "$CI_NODE_INDEX/$CI_NODE_TOTAL" \\',
        '    --withstand-report-dir "shards/$CI_NODE_INDEX/suite" \\',
        '    --junitxml "shards/$CI_NODE_INDEX/suite/junit.xml" || code=$?',
    ]
    return filled(
        _TEMPLATE,
        {
            "shards": str(shards),
            "mark": MARK,
            "launcher": installation.launcher,
            "expected": expected(project),
        },
        {
            "install": [f"- {command}" for command in installation.commands],
            "suite": suite if project.has_suite else [],
        },
    )
