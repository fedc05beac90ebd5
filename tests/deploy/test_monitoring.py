"""Alert rules and dashboard ask for what is measured, and every alert leads to an entry of the runbook."""

import json
import re
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it comes without types

from resolvers.measures import Measures
from service.http.metrics import Metrics
from tests.support.processes import ROOT

DEPLOY = ROOT / "deploy"
RUNBOOK = ROOT / "docs" / "runbook.md"


def measured() -> set[str]:
    """The names of all series, those of one without a value yet too."""
    found = set()
    for registry in (Metrics("0")._registry, Measures().registry):
        for family in registry.collect():
            ends = {"counter": ("_total",), "histogram": ("_bucket", "_sum", "_count")}.get(family.type, ("",))
            found |= {family.name + end for end in ends}
    return found


def alerts() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def expressions() -> list[str]:
    dashboard = json.loads((DEPLOY / "grafana" / "dashboard.json").read_text())
    shown = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    return [*shown, *(rule["expr"] for rule in alerts())]


@pytest.mark.parametrize("expression", expressions())
def test_what_is_asked_for_is_measured(expression: str) -> None:
    asked = set(re.findall(r"auto_enrichment_\w+", expression))
    assert asked
    assert asked <= measured()
    assert expression.count("(") == expression.count(")")


@pytest.mark.parametrize("rule", alerts(), ids=lambda rule: rule["alert"])
def test_an_alert_leads_to_an_entry_of_the_runbook(rule: dict[str, Any]) -> None:
    page, _, entry = rule["annotations"]["runbook"].partition("#")
    assert ROOT / page == RUNBOOK
    entries = re.findall(r"^## (.+)$", RUNBOOK.read_text(), re.MULTILINE)
    assert entry in {re.sub(r"[^a-z0-9 -]", "", title.lower()).replace(" ", "-") for title in entries}
    assert rule["alert"] in RUNBOOK.read_text()


def test_what_is_measured_is_shown() -> None:
    asked = {name for expression in expressions() for name in re.findall(r"auto_enrichment_\w+", expression)}
    told = {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in asked}
    assert {re.sub(r"_(total|bucket|sum|count)$", "", name) for name in measured()} - told == {"auto_enrichment_info"}
