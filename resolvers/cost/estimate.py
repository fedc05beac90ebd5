"""What enriching a selection would cost, and whom it would ask, before anyone is asked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from enrichment.config import Config
from models.call_rate import extra_charges
from models.job.queries import records_with_active_job
from providers.registry import Registry
from resolvers.context import Context, Role
from resolvers.cost.call_plan import CallPlan, plan_calls
from resolvers.cost.candidate_call import ProviderPlan
from resolvers.job.enrich import RecordSelection, select_records, skip_reason, suppressed_among
from resolvers.organizations import config_of, organization_of
from resolvers.turns import one_at_a_time

PRIOR_EXTRA_RATE, PRIOR_WEIGHT = 0.4, 10  # of matches that may cost more, those that will; in matches

# By provider: charges that might have been above the plain price, and those that were.
Extras = Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class ProviderEstimate:
    """What one provider may be asked, and the credits, of `price` for a plain match.

    `questions` are the most calls there can be, each once however many records it is for; `reused` how often a
    stored answer serves instead, which costs nothing. `skipped`: why it will not be asked at all. The credits
    are as in Estimate.
    """

    provider: str
    price: int
    questions: int = 0
    reused: int = 0
    minimum: int = 0
    expected: int = 0
    maximum: int = 0
    skipped: str | None = None
    likely: float = 0.0  # `expected` before it is rounded


@dataclass(slots=True)
class Estimate:
    """Whole credits, as of now: kept answers, keys, prices and rules as they are.

    `minimum` is certain to be spent. A provider may miss, fail, or not be needed any more, so that no new question
    counts; what does is the price of answers that came in part and are waited for. `maximum` cannot be exceeded: it
    is what the plan costs when every call in it is made and matches at its highest price, each question once, no
    record above its own limit. `expected` lies between them: it goes by each provider's match rate so far, by how
    likely those before it leave something to ask for, and by how many records ask the same. `ineligible` counts records
    by why no job would start.
    """

    eligible: int = 0
    ineligible: dict[str, int] = field(default_factory=dict)
    minimum: int = 0
    expected: int = 0
    maximum: int = 0
    by_provider: list[ProviderEstimate] = field(default_factory=list)


@one_at_a_time
async def estimate_enrichment(ctx: Context, selection: RecordSelection, *, force: bool = False) -> Estimate:
    """How many of the chosen records are eligible, why the others are not, whom it would ask, and the credits.

    Asks no provider.
    """
    caller = ctx.require(Role.VIEWER)
    organization_id, services, now = caller.organization_id, ctx.services, ctx.services.now()
    config = config_of(await organization_of(organization_id, services.registry, now))
    records, missing = await select_records(organization_id, selection)
    reasons = Counter({"not_found": len(missing)} if missing else {})
    active = await records_with_active_job(organization_id, [record.id for record in records])
    suppressed = await suppressed_among(services, organization_id, records)
    ready = []
    for record in records:
        reason = skip_reason(record, config, now, force=force, suppressed=record.id in suppressed)
        if reason is None or (reason == "cooldown" and record.id in active):
            ready.append(record)
        else:
            reasons[reason] += 1
    plan = await plan_calls(services, organization_id, config, ready, force=force)
    if plan.records < len(ready):
        reasons["nothing_to_ask"] = len(ready) - plan.records
    estimate = Estimate(eligible=plan.records, ineligible=dict(reasons))
    extras = await _extras(organization_id, services.registry)
    estimate.by_provider = _by_provider(plan, config, services.registry, extras)
    return _summed(estimate, config.credits.per_record_max)


def _by_provider(plan: CallPlan, config: Config, registry: Registry, extras: Extras) -> list[ProviderEstimate]:
    """The providers of the configuration that are switched on, in its order."""
    found: list[ProviderEstimate] = []
    for rule in config.providers:
        info = registry.info(rule.id)
        if info is not None and rule.id in plan.keyless:
            found.append(ProviderEstimate(rule.id, info.price, skipped="no_key"))
        elif rule.id in plan.providers:
            found.append(_estimate(plan.providers[rule.id], extras))
    return found


def _estimate(plan: ProviderPlan, extras: Extras) -> ProviderEstimate:
    info, calls = plan.provider.info, plan.distinct_calls()
    maximum = sum(call.max_credits for call in calls)
    extra = _extra_rate(*extras.get(info.id, (0, 0)))
    likely = sum(
        call.chance
        * (1.0 if info.counts_misses else call.match_rate)
        * (info.price + extra * (call.max_credits - info.price))
        for call in plan.likely_calls()
        if call.max_credits
    )
    likely = min(max(likely, plan.certain_credits), maximum)
    return ProviderEstimate(
        info.id,
        info.price,
        questions=len(calls),
        reused=plan.reused,
        minimum=plan.certain_credits,
        expected=round(likely),
        maximum=maximum,
        likely=likely,
    )


def _summed(estimate: Estimate, per_record_max: int | None) -> Estimate:
    parts = estimate.by_provider
    estimate.minimum, estimate.maximum = sum(part.minimum for part in parts), sum(part.maximum for part in parts)
    if per_record_max is not None:
        estimate.maximum = min(estimate.maximum, per_record_max * estimate.eligible)
    # Rounded once: of many providers that are hardly needed each would round to none.
    likely = round(sum(part.likely for part in parts))
    estimate.expected = min(max(likely, estimate.minimum), estimate.maximum)
    return estimate


def _extra_rate(tried: int, came: int) -> float:
    """Of the matches that might cost more than the plain price, the share that does (0-1)."""
    return (came + PRIOR_EXTRA_RATE * PRIOR_WEIGHT) / (tried + PRIOR_WEIGHT)


async def _extras(organization_id: str, registry: Registry) -> Extras:
    infos = [provider.info for provider in registry if provider.info.extra_price]
    return {info.id: await extra_charges(organization_id, info.id, info.price) for info in infos}
