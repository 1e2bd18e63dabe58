"""The first withstand.toml of a project. Pure."""

from typing import Final

from withstand.starter.project import Project
from withstand.starter.template import filled

_TEMPLATE: Final = """\
# What Withstand needs to know about this API. docs/configuration.md has every key.
# `withstand doctor` shows what a scan can work with, and which line here would give it more.

[target]
base_url = "${API_URL}"   # never commit an address that not everybody may test
openapi = <<document>>
# allow = ["api.staging.example.com"]   # hosts beyond the machine itself that you own

# Without identities a scan sees what an anonymous caller sees. Two users of one role and one of a
# higher role let it test who may read whose data. Passwords stay in the environment.
#
# [login]
# request = "POST /auth/token"
# json = { email = "{email}", password = "{password}" }
# token = "$.access_token"
#
# [identities]
# alice = { role = "user", email = "alice@example.com", password = "${ALICE_PASSWORD}" }
# bob = { role = "user", email = "bob@example.com", password = "${BOB_PASSWORD}" }
# root = { role = "admin", email = "root@example.com", password = "${ROOT_PASSWORD}" }
#
# [access]
# "DELETE /admin/users/{id}" = ["admin"]

# What must hold of every operation; one such as "GET /orders" may have a line of its own.
[slo]
"*" = ["p95<1s", "errors<1%"]

# [security]
# fail_on = "medium"
# baseline = "withstand-baseline.json"   # with it, only what is new fails
"""


def starter_configuration(project: Project) -> str:
    """A withstand.toml that is accepted as it is once API_URL is set; the rest is commented."""
    if project.document is None:
        said = '"/openapi.json"   # a path on the target; or a file of this repository'
    else:
        escaped = project.document.replace("\\", "\\\\").replace('"', '\\"')
        said = f'"{escaped}"   # relative to this file'
    return filled(_TEMPLATE, {"document": said}, {})
