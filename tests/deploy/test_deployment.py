"""What is deployed by the files in `deploy/` exists: settings, commands, routes, this version."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it comes without types

from models.db.version import VERSION
from service.cli.index import COMMANDS
from service.installation_settings import settings_class
from service.settings import PREFIX
from tests.support.processes import ROOT

DEPLOY = ROOT / "deploy"
FILES = sorted(path for path in DEPLOY.rglob("*") if path.suffix in {".yaml", ".service", ".example"})


def documents() -> Iterator[dict[str, Any]]:
    for path in FILES:
        if path.suffix == ".yaml":
            yield from yaml.safe_load_all(path.read_text())


def within(value: Any, key: str) -> Iterator[Any]:
    """Every value of this key, however deep."""
    if isinstance(value, dict):
        yield from ([value[key]] if key in value else [])
        for inner in value.values():
            yield from within(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from within(inner, key)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_settings_that_are_named_exist(path: Path) -> None:
    known = {PREFIX + name.upper() for name in settings_class().model_fields}
    assert set(re.findall(rf"\b{PREFIX}\w+", path.read_text())) <= known


def test_compose_hands_on_each_setting_of_the_example() -> None:
    service = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]["api"]
    example = re.findall(rf"^(?:# )?({PREFIX}\w+)=", (DEPLOY / "environment.example").read_text(), re.M)
    assert set(example) <= service["environment"].keys()
    assert service["environment"][f"{PREFIX}TRUSTED_PROXIES"].startswith(f"${{{PREFIX}TRUSTED_PROXIES:-")


def commands() -> list[list[str]]:
    """What our image and the units run, each with its options."""
    ours = [found for document in documents() for found in within(document, "containers")]
    args = [item["args"] for found in ours for item in found if item["image"] == "auto-enrichment"]
    compose = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    args += [service["command"] for service in compose.values() if service["image"].startswith("auto-enrichment")]
    units = [re.findall(r"^ExecStart=\S+ (.+)$", unit.read_text(), re.M) for unit in DEPLOY.rglob("*.service")]
    return [*args, *(command.split() for (command,) in units)]


def test_what_runs_our_image_names_a_command() -> None:
    assert sorted(name for name, *_ in commands()) == sorted(["migrate", "serve", "worker"] * 3)
    assert {"migrate", "serve", "worker"} <= COMMANDS.keys()


def test_an_upgrade_begins_beside_the_version_before_and_its_second_half_is_documented() -> None:
    assert [command for command in commands() if command[0] == "migrate"] == [["migrate", "--before"]] * 3
    upgrade = (ROOT / "docs" / "operations.md").read_text().split("\n## Upgrade\n")[1].split("\n## ")[0]
    for way, after in (
        ("Compose", "run --rm --no-deps migrate migrate --after"),
        ("Kubernetes", "args: [migrate, --after]"),
        ("systemd", "`migrate --after`"),
    ):
        (line,) = re.findall(rf"^- {way}\b.*$", upgrade, re.M)
        assert line.count("--after") == line.count(after) == 1, way


def test_images_are_of_this_version() -> None:
    named = [
        *re.findall(r"auto-enrichment:([\d.]+)", (DEPLOY / "compose.yaml").read_text()),
        *within(yaml.safe_load((DEPLOY / "kubernetes" / "base" / "kustomization.yaml").read_text()), "newTag"),
    ]
    assert named == [VERSION, VERSION]


def test_probes_ask_routes_that_answer() -> None:
    paths = {probe["path"] for document in documents() for probe in within(document, "httpGet")}
    assert paths == {"/healthz", "/metrics"}


def test_an_end_has_the_time_that_a_process_takes() -> None:
    longest = settings_class().model_fields["shutdown_seconds"].default
    graces = [seconds for document in documents() for seconds in within(document, "terminationGracePeriodSeconds")]
    graces += [int(value.rstrip("s")) for document in documents() for value in within(document, "stop_grace_period")]
    for unit in DEPLOY.rglob("*.service"):
        graces += map(int, re.findall(r"^TimeoutStopSec=(\d+)$", unit.read_text(), re.M))
    assert len(graces) >= 7
    assert min(graces) > longest
