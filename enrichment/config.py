"""An organization's rules: what is enriched, when, by whom, and what may be written.

The JSON form is the REST body of `/config`. Keys are camelCase; enum values are accepted in any case.
"""

from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Annotated, Any

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    ValidationError,
    model_validator,
)
from pydantic.alias_generators import to_camel

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType, FieldPolicy, JobTrigger, Strategy

MAX_LIMIT = 1_000_000_000
MAX_RULES = 500
_Confidence = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
_Credits = Annotated[int, Field(ge=0, le=MAX_LIMIT, strict=True)]


def _lower(value: Any) -> Any:
    return value.strip().lower() if isinstance(value, str) else value


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


class Rule(_Part):
    """What may be done to a field, and from which confidence on (None: the config's own minimum)."""

    policy: Annotated[FieldPolicy, BeforeValidator(_lower)]
    min_confidence: _Confidence | None = None

    @model_validator(mode="before")
    @classmethod
    def _accept_bare_policy(cls, value: Any) -> Any:
        return {"policy": value} if isinstance(value, str) else value


class EntityPolicies(_Part):
    """The rule of an entity type, and the fields that have their own."""

    default: Rule = Rule(policy=FieldPolicy.REVIEW)
    fields: dict[str, Rule] = {}

    def rule(self, field: str) -> Rule:
        return self.fields.get(field, self.default)


class FieldPolicies(_Part):
    lead: EntityPolicies = EntityPolicies()
    contact: EntityPolicies = EntityPolicies()
    account: EntityPolicies = EntityPolicies()

    def of(self, entity_type: EntityType) -> EntityPolicies:
        policies: EntityPolicies = getattr(self, entity_type.value)
        return policies


class Triggers(_Part):
    """When enrichment starts by itself. `refresh_after_days`: None means never."""

    on_create: StrictBool = True
    on_update: StrictBool = True
    refresh_after_days: Annotated[int, Field(ge=1, le=3650, strict=True)] | None = None


class Refresh(_Part):
    """How far a scheduled refresh goes; `triggers.refresh_after_days` starts it, for records that old.

    `credit_budget`: most credits that the refreshes of one day (UTC) may cost together. `min_freshness`: records
    that are fresher than this (0-1) are left alone; None: their age alone decides. `max_per_day`: most records a day.
    """

    credit_budget: _Credits | None = None
    min_freshness: _Confidence | None = None
    max_per_day: Annotated[int, Field(ge=1, le=MAX_LIMIT, strict=True)] | None = None


class EntityTypes(_Part):
    lead: StrictBool = True
    contact: StrictBool = True
    account: StrictBool = True

    def allows(self, entity_type: EntityType) -> bool:
        allowed: bool = getattr(self, entity_type.value)
        return allowed


class ProviderRule(_Part):
    """One provider in the waterfall.

    `daily_limit`: most credits a day (UTC) it may be paid. `min_match_rate`: the break-even guard: below this
    share of matches (0-1) over its last `match_rate_over` calls it is not asked any more.
    """

    id: str
    enabled: StrictBool = True
    daily_limit: _Credits | None = None
    min_match_rate: _Confidence | None = None
    match_rate_over: Annotated[int, Field(ge=5, le=10_000, strict=True)] = 50


class Backoff(_Part):
    """How long a job waits after a failed attempt: it doubles from the first to the longest."""

    initial_seconds: Annotated[int, Field(ge=1, le=86_400, strict=True)] = 10
    max_seconds: Annotated[int, Field(ge=1, le=604_800, strict=True)] = 3600


class CreditRules(_Part):
    """The most that may be spent: in a calendar month, in a day (both UTC), and by one job on its record.

    `alert_thresholds`: shares of the monthly limit (or grant) whose crossing is told once.
    """

    monthly_limit: _Credits | None = None
    daily_limit: _Credits | None = None
    per_record_max: _Credits | None = None
    alert_thresholds: Annotated[list[Annotated[float, Field(gt=0, le=1, strict=True)]], Field(max_length=10)] = [
        0.8,
        1.0,
    ]


class RuleAction(StrEnum):
    """What a rule does with a question that would otherwise go to a person."""

    ACCEPT = "accept"  # write the provider's value
    KEEP = "keep"  # leave the current value


class ReviewRule(_Part):
    """A question about this field that is answered without a person. Rules speak in their order.

    `provider`: whose values it is about (None: anyone's). `min_confidence`: it is silent about values that are
    less certain. A value that a reviewer chose is never replaced by a rule, and the field's policy, its minimum
    confidence and what reviewers rejected hold as ever.
    """

    entity_type: Annotated[EntityType, BeforeValidator(_lower)]
    field: str
    provider: str | None = None
    action: Annotated[RuleAction, BeforeValidator(_lower)]
    min_confidence: _Confidence | None = None

    def words(self) -> str:
        """The rule in plain words."""
        sure = "" if self.min_confidence is None else f" from confidence {self.min_confidence:.2f} on"
        if self.action is RuleAction.ACCEPT:
            whose = f"{self.provider}'s" if self.provider else "the most certain"
            return f"accept {whose} {self.field} of {self.entity_type.value}s{sure}"
        whom = self.provider or "any provider"
        return f"keep the {self.field} of {self.entity_type.value}s against {whom}{sure}"


class MaybeCharged(StrEnum):
    """What happens to a paid question whose call ended without a reply."""

    HOLD = "hold"  # it is not asked again for a day, unless a person retries the job
    RETRY = "retry"  # it is asked again like any failed call, and may cost the provider's price twice


class Config(_Part):
    """The whole configuration.

    `consensus_size`: most providers asked for one field under `consensus`. `maybe_charged`: see MaybeCharged.
    """

    enabled: StrictBool = True
    triggers: Triggers = Triggers()
    refresh: Refresh = Refresh()
    entity_types: EntityTypes = EntityTypes()
    strategy: Annotated[Strategy, BeforeValidator(_lower)] = Strategy.WATERFALL
    consensus_size: Annotated[int, Field(ge=2, le=10, strict=True)] = 3
    providers: Annotated[list[ProviderRule], Field(max_length=100)] = []
    field_policies: FieldPolicies = FieldPolicies()
    min_confidence: _Confidence = 0.6
    cooldown_hours: Annotated[int, Field(ge=0, le=8760, strict=True)] = 24
    max_attempts: Annotated[int, Field(ge=1, le=50, strict=True)] = 5
    backoff: Backoff = Backoff()
    maybe_charged: Annotated[MaybeCharged, BeforeValidator(_lower)] = MaybeCharged.HOLD
    credits: CreditRules = CreditRules()
    rules: Annotated[list[ReviewRule], Field(max_length=MAX_RULES)] = []

    def as_json(self) -> dict[str, Any]:
        """The REST form. A default rule without a minimum of its own is shown as a bare string."""
        shown = self.model_dump(mode="json", by_alias=True)
        for policies in shown["fieldPolicies"].values():
            if policies["default"]["minConfidence"] is None:
                policies["default"] = policies["default"]["policy"]
        return shown

    def rule(self, entity_type: EntityType, field: str) -> Rule:
        return self.field_policies.of(entity_type).rule(field)

    def minimum(self, entity_type: EntityType, field: str) -> float:
        """The least confidence (0-1) with which a value is written to this field."""
        own = self.rule(entity_type, field).min_confidence
        return self.min_confidence if own is None else own

    def provider_rule(self, provider_id: str) -> ProviderRule | None:
        """What is set for this provider; None where the configuration does not list it."""
        return next((rule for rule in self.providers if rule.id == provider_id), None)

    def rules_of(self, entity_type: EntityType, field: str) -> list[ReviewRule]:
        """The rules about this field, in order."""
        return [rule for rule in self.rules if rule.field == field and rule.entity_type is entity_type]

    def starts_on(self, trigger: JobTrigger, entity_type: EntityType) -> bool:
        """Whether this trigger starts a job by itself."""
        wanted = {
            JobTrigger.RECORD_CREATED: self.triggers.on_create,
            JobTrigger.RECORD_UPDATED: self.triggers.on_update,
            JobTrigger.SCHEDULED_REFRESH: self.triggers.refresh_after_days is not None,
        }.get(trigger, True)
        return self.enabled and wanted and self.entity_types.allows(entity_type)


class InvalidConfig(Exception):
    """A configuration that is refused whole. `faults` lists (path, message) of everything wrong with it."""

    def __init__(self, faults: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{path}: {message}" for path, message in faults))
        self.faults = faults


def default_config(provider_ids: Iterable[str], off: Collection[str] = ()) -> Config:
    """The configuration of a new organization; the providers in `off` are listed, but not asked."""
    return Config(providers=[ProviderRule(id=name, enabled=name not in off) for name in provider_ids])


def merge(current: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """`changes` laid over `current`: objects key by key, everything else replaced.

    A null in place of a field's own rule takes the rule away.
    """
    merged = dict(current)
    for key, value in changes.items():
        before = merged.get(key)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            merged[key] = merge(before, value)
        else:
            merged[key] = value
    return merged


def differences(before: Mapping[str, Any], after: Mapping[str, Any], at: str = "") -> dict[str, Any]:
    """What differs between two configurations as JSON: by path (`credits.dailyLimit`), `{from, to}`."""
    found: dict[str, Any] = {}
    for key in [*before, *(key for key in after if key not in before)]:
        path = f"{at}.{key}" if at else key
        old, new = before.get(key), after.get(key)
        if isinstance(old, Mapping) and isinstance(new, Mapping):
            found |= differences(old, new, path)
        elif old != new:
            found[path] = {"from": old, "to": new}
    return found


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
