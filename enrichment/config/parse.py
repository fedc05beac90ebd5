"""A configuration as somebody sent it: accepted whole, or refused with every fault."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError

from enrichment.catalogue import fields_of
from enrichment.config.config import Config
from enrichment.config.limits import Backoff
from enrichment.config.messages import message_of
from enrichment.config.part import lower
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
        faults = [(_path(item["loc"]), message_of(item)) for item in error.errors(include_url=False)]
    # By what was sent and not by what was read: they are named also where another key is wrong.
    known = set(provider_ids)
    faults += [
        *_unknown_fields(body),
        *_unknown_paid_fields(body),
        *_provider_faults(body, known),
        *_rule_faults(body, known),
        *_backoff_faults(body),
    ]
    if config is not None:
        faults += _repeated_rules(config)
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


def _unknown_paid_fields(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    sent = body.get("payFor")
    for entity_type in EntityType:
        rules = sent.get(entity_type.value) if isinstance(sent, Mapping) else None
        rules = {"fields": rules} if isinstance(rules, list) else rules
        if not isinstance(rules, Mapping):
            continue
        known = fields_of(entity_type)
        fields, most = rules.get("fields"), rules.get("most")
        for index, name in enumerate(fields if isinstance(fields, list) else ()):
            if isinstance(name, str) and name not in known:
                yield f"payFor.{entity_type.value}.fields[{index}]", f"no such field of {_article(entity_type)}"
        for name in most if isinstance(most, Mapping) else ():
            if name not in known:
                yield f"payFor.{entity_type.value}.most.{name}", f"no such field of {_article(entity_type)}"


def _listed(body: Mapping[str, Any], key: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The objects of a list in the body, each with its index; what is no object is a fault of its own."""
    sent = body.get(key)
    for index, item in enumerate(sent if isinstance(sent, list) else ()):
        if isinstance(item, Mapping):
            yield index, item


def _provider_faults(body: Mapping[str, Any], known: set[str]) -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    for index, rule in _listed(body, "providers"):
        provider_id = rule.get("id")
        if not isinstance(provider_id, str):
            continue
        if provider_id not in known:
            yield f"providers[{index}].id", f"no such provider: {provider_id[:64]}"
        elif provider_id in seen:
            yield f"providers[{index}].id", f"{provider_id} is listed twice"
        seen.add(provider_id)


def _rule_faults(body: Mapping[str, Any], known: set[str]) -> Iterator[tuple[str, str]]:
    for index, rule in _listed(body, "rules"):
        sent, field, provider = (
            lower(rule.get("entityType", rule.get("entity_type"))),
            rule.get("field"),
            rule.get("provider"),
        )
        entity_type = next((member for member in EntityType if member.value == sent), None)
        if entity_type is not None and isinstance(field, str) and field not in fields_of(entity_type):
            yield f"rules[{index}].field", f"no such field of {_article(entity_type)}: {field[:64]}"
        if isinstance(provider, str) and provider not in known:
            yield f"rules[{index}].provider", f"no such provider: {provider[:64]}"


def _backoff_faults(body: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    with suppress(ValidationError):
        backoff = Backoff.model_validate(body.get("backoff", {}))
        if backoff.initial_seconds > backoff.max_seconds:
            yield "backoff.initialSeconds", "must not exceed backoff.maxSeconds"


def _repeated_rules(config: Config) -> list[tuple[str, str]]:
    faults: list[tuple[str, str]] = []
    first: dict[tuple[object, ...], int] = {}
    for index, rule in enumerate(config.rules):
        about = (rule.entity_type, rule.field, rule.provider, rule.min_confidence)
        if about in first:
            faults.append((f"rules[{index}]", f"speaks of the same as rules[{first[about]}]"))
        first.setdefault(about, index)
    return faults


def _article(entity_type: EntityType) -> str:
    return f"{'an' if entity_type is EntityType.ACCOUNT else 'a'} {entity_type.value}"
