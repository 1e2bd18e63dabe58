"""The manifests for Kubernetes parse and agree with each other; their options are known."""

from pathlib import Path
from typing import Any

import click
import yaml

from withstand.cli.load_engine import wants_locust
from withstand.cli.locust_load import locust_command
from withstand.slo import parse_named_objective

FOLDER = Path(__file__).parents[1] / "examples" / "kubernetes"


def _documents(name: str) -> dict[str, Any]:
    """The documents of a file by their kind."""
    parsed = yaml.safe_load_all((FOLDER / name).read_text())
    return {each["kind"]: each for each in parsed}


def _container(name: str) -> dict[str, Any]:
    (container,) = _documents(name)["Job"]["spec"]["template"]["spec"]["containers"]
    assert isinstance(container, dict)
    return container


def test_every_manifest_names_what_it_is() -> None:
    for file in sorted(FOLDER.glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            assert {"apiVersion", "kind", "metadata"} <= document.keys(), file.name


def test_the_locustfile_is_python_and_begins_with_the_plug_in_line() -> None:
    text = _documents("configmap.yaml")["ConfigMap"]["data"]["locustfile.py"]
    compile(text, "locustfile.py", "exec")
    assert text.startswith("import withstand.locust\n")


def test_master_and_workers_agree_on_their_number_and_their_place() -> None:
    master, service = _documents("master.yaml")["Job"], _documents("master.yaml")["Service"]
    workers = _documents("workers.yaml")["Job"]["spec"]
    assert workers["completions"] == workers["parallelism"]
    assert f"--expect-workers={workers['completions']}" in _container("master.yaml")["args"]
    assert f"--master-host={service['metadata']['name']}" in _container("workers.yaml")["args"]
    labels = master["spec"]["template"]["metadata"]["labels"]
    assert service["spec"]["selector"].items() <= labels.items()
    (port,) = service["spec"]["ports"]
    assert port["port"] == 5557
    assert port["targetPort"] in {each["name"] for each in _container("master.yaml")["ports"]}


def test_withstand_takes_the_arguments_and_hands_them_to_locust() -> None:
    for name in ("master.yaml", "workers.yaml"):
        container = _container(name)
        assert container["command"] == ["withstand", "load"]
        assert wants_locust(container["args"])
        assert isinstance(locust_command, click.Command)
        given = locust_command.make_context("load", list(container["args"])).params
        for text in given["slos"]:
            parse_named_objective(text)


def test_objectives_of_the_operators_resource_can_be_read() -> None:
    master = _documents("locusttest.yaml")["LocustTest"]["spec"]["master"]
    texts = [each.partition("=")[2] for each in master["extraArgs"] if "slo" in each]
    assert len([parse_named_objective(text) for text in texts]) == 2
    assert '"' not in master["command"]  # it is split at blanks, without a shell
