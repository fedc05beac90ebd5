"""The organization's configuration: the keys of REST, typed."""

from datetime import datetime
from typing import Self

import strawberry

from enrichment import config as rules
from enrichment.words import naming
from resolvers import config as operations
from schema.base.context import Info
from schema.base.copied import copied
from schema.base.enums import EntityType, FieldPolicy, MaybeCharged, QuestionOrder, RuleAction, Strategy
from schema.base.node import Node, id_of_organization
from schema.config.input import ConfigInput
from schema.config.spending import EntityPayFor
from schema.config.written import faults_as_written


@strawberry.type(description="When enrichment starts by itself.")
class Triggers:
    on_create: bool
    on_update: bool
    refresh_after_days: int | None = strawberry.field(description="Null: never.")


@strawberry.type(description="How far the scheduled refresh of a day (UTC) goes, the stalest records first.")
class Refresh:
    credit_budget: int | None = strawberry.field(description="Most credits of a day's refreshes together.")
    min_freshness: float | None = strawberry.field(description="Fresher records are left alone. Null: none are.")
    max_per_day: int | None = strawberry.field(description="Most records a day.")


@strawberry.type(description="Which entity types are enriched.")
class EntityTypes:
    lead: bool
    contact: bool
    account: bool


@strawberry.type(description="One provider in the waterfall; their order is their priority.")
class ProviderRule:
    id: strawberry.ID
    enabled: bool
    daily_limit: int | None = strawberry.field(description="Most credits a day that it may be paid.")
    min_match_rate: float | None = strawberry.field(description="Below this share of matches it is left alone.")
    match_rate_over: int = strawberry.field(description="How many of its last calls that is counted over.")
    answer_days: int | None = strawberry.field(
        description="How many days a kept answer of it may be reused; 0: only by jobs at the same time. Null: as long"
        " as the provider says, see `Provider.answerDays`."
    )


@strawberry.type(description="What may be done to a field.")
class FieldPolicyRule:
    policy: FieldPolicy
    min_confidence: float | None = strawberry.field(description="Null: the config's own.")


@strawberry.type(description="The rule of one field.")
class NamedFieldPolicy:
    field: str
    policy: FieldPolicy
    min_confidence: float | None


@strawberry.type(description="The rules of one entity type.")
class EntityFieldPolicies:
    entity_type: EntityType
    default: FieldPolicyRule
    fields: list[NamedFieldPolicy] = strawberry.field(description="The fields with a rule of their own.")

    @classmethod
    def of(cls, entity_type: EntityType, policies: rules.EntityPolicies) -> Self:
        default = policies.default
        return cls(
            entity_type=entity_type,
            default=FieldPolicyRule(policy=default.policy, min_confidence=default.min_confidence),
            fields=[
                NamedFieldPolicy(field=name, policy=rule.policy, min_confidence=rule.min_confidence)
                for name, rule in sorted(policies.fields.items())
            ],
        )


@strawberry.type(description="How long a job waits after a failed attempt: from the first to the longest, doubling.")
class Backoff:
    initial_seconds: int
    max_seconds: int


@strawberry.type(description="The most credits that may be spent.")
class CreditRules:
    monthly_limit: int | None
    daily_limit: int | None
    per_record_max: int | None
    alert_thresholds: list[float] = strawberry.field(description="Shares of the monthly limit, 0 to 1.")


@strawberry.type(description="A question about a field that is answered without a person.")
class ReviewRule:
    entity_type: EntityType
    field: str
    provider: strawberry.ID | None = strawberry.field(description="Whose values it is about; null: anyone's.")
    action: RuleAction
    min_confidence: float | None = strawberry.field(description="It is silent about less certain values.")
    stored: strawberry.Private[rules.ReviewRule]

    @strawberry.field(description="The rule in plain words.")
    def words(self, info: Info) -> str:
        return self.stored.words(naming(info.context.services.registry.names))

    @classmethod
    def of(cls, rule: rules.ReviewRule) -> Self:
        return copied(cls, rule, stored=rule)


@strawberry.type(description="The organization's rules.")
class Config(Node):
    id: strawberry.ID = strawberry.field(
        resolver=id_of_organization("config"), description="The organization's own; changes keep it."
    )
    enabled: bool
    triggers: Triggers
    refresh: Refresh
    entity_types: EntityTypes
    strategy: Strategy
    consensus_size: int = strawberry.field(description="Most providers asked for a field under CONSENSUS.")
    providers: list[ProviderRule]
    field_policies: list[EntityFieldPolicies]
    min_confidence: float
    cooldown_hours: int
    max_attempts: int
    backoff: Backoff
    maybe_charged: MaybeCharged
    credits: CreditRules
    pay_for: list[EntityPayFor]
    order: QuestionOrder
    value_floor: float | None = strawberry.field(
        description="How many values a credit is expected to bring at least, else a paid provider is not asked."
        " Null: any."
    )
    min_chance: float | None = strawberry.field(
        description="How likely (0-1) a match is to bring a value worth paying for, else a paid provider is not asked."
        " Null: however unlikely."
    )
    company_questions: bool = strawberry.field(
        description="Whether a person's company is asked about as the account is, where the person's answer lacks it."
    )
    rules: list[ReviewRule] = strawberry.field(description="Answers to questions, in the order in which they speak.")
    version: int
    updated_at: datetime
    updated_by: str | None

    @classmethod
    def of(cls, view: operations.ConfigView) -> Self:
        config = view.config
        triggers, types, credits = config.triggers, config.entity_types, config.credits
        refresh = config.refresh
        return cls(
            enabled=config.enabled,
            triggers=Triggers(
                on_create=triggers.on_create,
                on_update=triggers.on_update,
                refresh_after_days=triggers.refresh_after_days,
            ),
            refresh=Refresh(
                credit_budget=refresh.credit_budget,
                min_freshness=refresh.min_freshness,
                max_per_day=refresh.max_per_day,
            ),
            entity_types=EntityTypes(lead=types.lead, contact=types.contact, account=types.account),
            strategy=config.strategy,
            consensus_size=config.consensus_size,
            providers=[
                ProviderRule(
                    id=strawberry.ID(rule.id),
                    enabled=rule.enabled,
                    daily_limit=rule.daily_limit,
                    min_match_rate=rule.min_match_rate,
                    match_rate_over=rule.match_rate_over,
                    answer_days=rule.answer_days,
                )
                for rule in config.providers
            ],
            field_policies=[EntityFieldPolicies.of(kind, config.field_policies.of(kind)) for kind in EntityType],
            min_confidence=config.min_confidence,
            cooldown_hours=config.cooldown_hours,
            max_attempts=config.max_attempts,
            backoff=Backoff(initial_seconds=config.backoff.initial_seconds, max_seconds=config.backoff.max_seconds),
            maybe_charged=config.maybe_charged,
            credits=CreditRules(
                monthly_limit=credits.monthly_limit,
                daily_limit=credits.daily_limit,
                per_record_max=credits.per_record_max,
                alert_thresholds=credits.alert_thresholds,
            ),
            pay_for=[EntityPayFor.of(kind, config.pay_for.of(kind)) for kind in EntityType],
            company_questions=config.company_questions,
            order=config.order,
            value_floor=config.value_floor,
            min_chance=config.min_chance,
            rules=[ReviewRule.of(rule) for rule in config.rules],
            version=view.version,
            updated_at=view.updated_at,
            updated_by=view.updated_by,
        )


@strawberry.type
class ConfigQuery:
    @strawberry.field(description="The organization's rules.")
    async def config(self, info: Info) -> Config:
        return Config.of(await operations.get_config(info.context))


@strawberry.type
class ConfigMutation:
    @strawberry.mutation(
        description="Change the given keys and leave the others alone."
        " Refused as a whole with every fault; VERSION_MISMATCH unless `expectedVersion` is the current one."
    )
    async def update_config(self, info: Info, input: ConfigInput, expected_version: int | None = None) -> Config:
        with faults_as_written(input):
            view = await operations.update_config(info.context, input.read(), expected_version=expected_version)
        return Config.of(view)
