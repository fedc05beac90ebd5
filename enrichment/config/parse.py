"""A configuration as somebody sent it: accepted whole, or refused with every fault."""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import ValidationError

from enrichment.catalogue import fields_of
from enrichment.config.config import Config
from enrichment.enums import EntityType


class InvalidConfig(Exception):
    """A configuration that is refused whole. `faults` lists (path, message) of everything wrong with it."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in faults))
        self.faults = faults


def parse_config(body: Mapping[str, Any], provider_ids: Iterable[str]) -> Config:
    """The configuration in `body`. Raises InvalidConfig naming every fault by its path."""
    faults: list[tuple[str, str]] = []
    config: Config | None = None
    try:
        config = Config.model_validate(_without_removed_rules(body))
    except ValidationError as error:
        faults = [(_path(item["loc"]), item["msg"]) for item in error.errors(include_url=False)]
    faults += _unknown_fields(body)
    if config is not None:
        known = set(provider_ids)
        faults += _provider_faults(config, known) + _rule_faults(config, known)
        if config.backoff.initial_seconds > config.backoff.max_seconds:
            faults.append(("backoff.initialSeconds", "must not exceed backoff.maxSeconds"))
    if faults or config is None:
        raise InvalidConfig(faults)
    return config


def _path(location: tuple[int | str, ...]) -> str:
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _without_removed_rules(body: Mapping[str, Any]) -> dict[str, Any]:
    cleaned = dict(body)
    policies = cleaned.get("fieldPolicies")
    if not isinstance(policies, Mapping):
        return cleaned
    cleaned["fieldPolicies"] = {
        entity_type: {
            **rules,
            "fields": {name: rule for name, rule in rules["fields"].items() if rule is not None},
        }
        if isinstance(rules, Mapping) and isinstance(rules.get("fields"), Mapping)
        else rules
        for entity_type, rules in policies.items()
    }
    return cleaned


def _unknown_fields(body: Mapping[str, Any]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    policies = body.get("fieldPolicies")
    for entity_type in EntityType:
        rules = policies.get(entity_type.value) if isinstance(policies, Mapping) else None
        named = rules.get("fields") if isinstance(rules, Mapping) else None
        if isinstance(named, Mapping):
            known = fields_of(entity_type)
            faults += [
                (
                    f"fieldPolicies.{entity_type.value}.fields.{name}",
                    f"no such field of a {entity_type.value}",
                )
                for name in named
                if name not in known
            ]
    return faults


def _provider_faults(config: Config, known: set[str]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    seen: set[str] = set()
    for index, rule in enumerate(config.providers):
        if rule.id not in known:
            faults.append((f"providers[{index}].id", f"no such provider: {rule.id[:64]}"))
        elif rule.id in seen:
            faults.append((f"providers[{index}].id", f"{rule.id} is listed twice"))
        seen.add(rule.id)
    return faults


def _rule_faults(config: Config, known: set[str]) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    first: dict[tuple[object, ...], int] = {}
    for index, rule in enumerate(config.rules):
        if rule.field not in fields_of(rule.entity_type):
            message = f"no such field of {_article(rule.entity_type)}: {rule.field[:64]}"
            faults.append((f"rules[{index}].field", message))
        if rule.provider is not None and rule.provider not in known:
            faults.append((f"rules[{index}].provider", f"no such provider: {rule.provider[:64]}"))
        about = (rule.entity_type, rule.field, rule.provider, rule.min_confidence)
        if about in first:
            faults.append((f"rules[{index}]", f"speaks of the same as rules[{first[about]}]"))
        first.setdefault(about, index)
    return faults


def _article(entity_type: EntityType) -> str:
    return f"{'an' if entity_type is EntityType.ACCOUNT else 'a'} {entity_type.value}"
