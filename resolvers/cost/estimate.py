"""What enriching a selection would cost, and whom it would ask, before anyone is asked."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from models.db.statements import query
from models.job.queries import records_with_active_job
from resolvers.context import Context, Role
from resolvers.cost.call_plan import plan_of
from resolvers.cost.candidate_call import Part
from resolvers.job.enrich import RecordSelection, select_records, skip_reason, suppressed_among
from resolvers.organizations import config_of, organization_of

PRIOR_MATCH_RATE, PRIOR_WEIGHT = 0.6, 10  # what is believed of a provider before it was asked, in calls
PRIOR_EXTRA_RATE = 0.4  # of its matches that may cost more, those that will


@dataclass(frozen=True, slots=True)
class ProviderEstimate:
    """What one provider may be asked, and the credits, of `price` for a plain match.

    `questions` are the most calls there can be, each once however many records it is for; `reused` how often an
    answer that is kept serves instead, which costs nothing. `skipped`: why it will not be asked at all. The credits
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


@dataclass(slots=True)
class Estimate:
    """Whole credits, as of now: kept answers, keys, prices and rules as they are.

    `minimum` is certain to be spent. A provider may miss, fail, or not be needed any more, so that no new question
    counts; what does is the price of answers that came in part and are waited for. `maximum` cannot be exceeded: it
    is what the plan costs when every call in it is made and matches at its highest price, each question once, no
    record above its own limit. `expected` lies between them: it goes by each provider's match rate so far, and by how
    likely those before it leave something to ask for. `ineligible` counts records by why no job would start.
    """

    eligible: int = 0
    ineligible: dict[str, int] = field(default_factory=dict)
    minimum: int = 0
    expected: int = 0
    maximum: int = 0
    by_provider: list[ProviderEstimate] = field(default_factory=list)


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
    barred = await suppressed_among(services, organization_id, records)
    ready = []
    for record in records:
        reason = skip_reason(record, config, now, force=force, suppressed=record.id in barred)
        if reason is None or (reason == "cooldown" and record.id in active):
            ready.append(record)
        else:
            reasons[reason] += 1
    infos = [provider.info for provider in services.registry]
    history = await _history(organization_id, {info.id: info.price for info in infos if info.extra_price})
    rates = {rule.id: history.match_rate(rule.id) for rule in config.providers}
    plan = await plan_of(services, organization_id, config, ready, rates, force=force)
    if plan.records < len(ready):
        reasons["nothing_to_ask"] = len(ready) - plan.records
    estimate = Estimate(eligible=plan.records, ineligible=dict(reasons))
    for rule in config.providers:
        info = services.registry.info(rule.id)
        if info is not None and rule.id in plan.keyless:
            estimate.by_provider.append(ProviderEstimate(rule.id, info.price, skipped="no_key"))
        elif rule.id in plan.parts:
            estimate.by_provider.append(_of_part(plan.parts[rule.id], history))
    return _summed(estimate, config.credits.per_record_max)


def _of_part(part: Part, history: "_History") -> ProviderEstimate:
    info, questions = part.provider.info, part.questions()
    maximum = sum(one.most for one in questions)
    extra = history.extra_rate(info.id)
    likely = sum(one.chance * (info.price + extra * (one.most - info.price)) for one in questions if one.most)
    expected = round(likely * (1.0 if info.counts_misses else history.match_rate(info.id)))
    return ProviderEstimate(
        info.id,
        info.price,
        questions=len(questions),
        reused=part.reused,
        minimum=part.certain,
        expected=min(max(expected, part.certain), maximum),
        maximum=maximum,
    )


def _summed(estimate: Estimate, per_record_max: int | None) -> Estimate:
    parts = estimate.by_provider
    estimate.minimum, estimate.expected, estimate.maximum = (
        sum(getattr(part, name) for part in parts) for name in ("minimum", "expected", "maximum")
    )
    if per_record_max is not None:
        estimate.maximum = min(estimate.maximum, per_record_max * estimate.eligible)
    estimate.expected = min(estimate.expected, estimate.maximum)
    return estimate


@dataclass(frozen=True, slots=True)
class _History:
    """How the organization's calls went so far, by provider: (asked, matched), and (matched, of those the dear)."""

    calls: Mapping[str, tuple[int, int]]
    dear: Mapping[str, tuple[int, int]]

    def match_rate(self, provider: str) -> float:
        return _rate(self.calls.get(provider, (0, 0)), PRIOR_MATCH_RATE)

    def extra_rate(self, provider: str) -> float:
        """Of the matches that might have cost more than the plain price, the share that did."""
        return _rate(self.dear.get(provider, (0, 0)), PRIOR_EXTRA_RATE)


def _rate(counts: tuple[int, int], prior: float) -> float:
    tried, came = counts
    return (came + prior * PRIOR_WEIGHT) / (tried + PRIOR_WEIGHT)


async def _history(organization_id: str, dear_prices: Mapping[str, int]) -> _History:
    """`dear_prices`: what a plain match costs at the providers where another may cost more."""
    calls = await query(
        "SELECT provider, COUNT(*) AS tried, SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END) AS came FROM step"
        " WHERE organization_id = ? AND outcome IN ('match', 'no_match') GROUP BY provider",
        [organization_id],
    )
    dear: list[dict[str, Any]] = []
    for provider, price in dear_prices.items():
        dear += await query(
            "SELECT ? AS provider, COUNT(*) AS tried, SUM(CASE WHEN -charged.amount > ? THEN 1 ELSE 0 END) AS came"
            " FROM credit_entry charged JOIN credit_entry held ON held.id = charged.settles"
            " WHERE charged.organization_id = ? AND charged.provider = ? AND charged.kind = 'charge'"
            " AND held.reserved_change > ?",
            [provider, price, organization_id, provider, price],
        )
    return _History(_counts(calls), _counts(dear))


def _counts(rows: Sequence[Mapping[str, Any]]) -> dict[str, tuple[int, int]]:
    return {row["provider"]: (int(row["tried"]), int(row["came"] or 0)) for row in rows}
