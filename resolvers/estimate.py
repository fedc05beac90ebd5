"""What enriching a selection would cost, before anyone is asked."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from enrichment.config import Config
from enrichment.vocabulary import JobTrigger
from enrichment.waterfall import refreshes
from models.database import query
from models.record import Record
from models.values import current_values
from resolvers.context import Context, Role, Services
from resolvers.enrich import RecordSelection, select_records, skip_reason, suppressed_among
from resolvers.organizations import config_of, organization_of
from resolvers.questions import kept_answers, questions_about

PRIOR_MATCH_RATE, PRIOR_WEIGHT = 0.6, 10  # what is believed of a provider before it was asked, in calls
PRIOR_EXTRA_RATE = 0.4  # of its matches that may cost more, those that will
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class ProviderEstimate:
    """Questions that a paid provider may be asked, each once, and what they may cost."""

    provider: str
    questions: int
    expected: int
    maximum: int


@dataclass(slots=True)
class Estimate:
    """Whole credits. `minimum` is what it costs when no paid provider matches, `maximum` when every one that may
    be asked does; `expected` goes by the match rates so far. `ineligible` counts records by why no job would start.
    """

    eligible: int = 0
    ineligible: dict[str, int] = field(default_factory=dict)
    minimum: int = 0
    expected: int = 0
    maximum: int = 0
    by_provider: list[ProviderEstimate] = field(default_factory=list)


async def estimate_enrichment(ctx: Context, selection: RecordSelection, *, force: bool = False) -> Estimate:
    """How many of the chosen records are eligible, why the others are not, and the credits. Asks no provider."""
    caller = ctx.require(Role.VIEWER)
    services = ctx.services
    now = services.now()
    config = config_of(await organization_of(caller.organization_id, services.registry, now))
    records, missing = await select_records(caller.organization_id, selection)
    reasons = Counter({"not_found": len(missing)} if missing else {})
    barred = await suppressed_among(services, caller.organization_id, records)
    eligible = []
    for record in records:
        reason = skip_reason(record, config, now, force=force, suppressed=record.id in barred)
        if reason is None:
            eligible.append(record)
        else:
            reasons[reason] += 1
    questions: dict[str, dict[str, int]] = {}
    asked_about = 0
    for start in range(0, len(eligible), _AT_ONCE):
        chunk = eligible[start : start + _AT_ONCE]
        asked_about += await _collect(services, config, chunk, force, questions, reasons)
    estimate = Estimate(eligible=asked_about, ineligible=dict(reasons))
    for provider_id, prices in questions.items():
        await _add(estimate, services, caller.organization_id, provider_id, prices, now)
    ceiling = config.credits.per_record_max
    if ceiling is not None:
        estimate.maximum = min(estimate.maximum, ceiling * estimate.eligible)
    estimate.expected = min(estimate.expected, estimate.maximum)
    return estimate


async def _collect(
    services: Services,
    config: Config,
    records: Sequence[Record],
    force: bool,
    questions: dict[str, dict[str, int]],
    reasons: "Counter[str]",
) -> int:
    """Add the paid questions of these records, and the most that each may cost, by provider.

    Returns how many of the records any provider could be asked about.
    """
    provenance = await current_values([record.id for record in records])
    refresh = refreshes(JobTrigger.MANUAL, forced=force)
    able = 0
    for record in records:
        planned = questions_about(
            services,
            config,
            record.organization_id,
            record.entity_type,
            record.fields,
            provenance[record.id],
            refresh=refresh,
        )
        asked = [(one.provider, one.key, one.most) for one in planned if one.key is not None]
        if asked:
            able += 1
        else:
            reasons["nothing_to_ask"] += 1
        for provider, key, most in asked:
            if most:
                questions.setdefault(provider.info.id, {})[key] = most
    return able


async def _add(
    estimate: Estimate,
    services: Services,
    organization_id: str,
    provider_id: str,
    prices: dict[str, int],
    now: datetime,
) -> None:
    info = services.registry.info(provider_id)
    assert info is not None  # the questions came from it
    new = prices.keys() - await kept_answers(organization_id, provider_id, prices.keys(), now)
    rate = await _match_rate(organization_id, provider_id)
    maximum = sum(prices[key] for key in new)
    plain = len(new) * info.price
    dear = (maximum - plain) * await _extra_rate(organization_id, provider_id, info.price) if maximum > plain else 0
    expected = round((plain + dear) * rate)
    estimate.by_provider.append(ProviderEstimate(provider_id, len(new), expected, maximum))
    estimate.expected += expected
    estimate.maximum += maximum


async def _match_rate(organization_id: str, provider_id: str) -> float:
    found = await query(
        "SELECT COUNT(*) AS asked, SUM(CASE WHEN outcome = 'match' THEN 1 ELSE 0 END) AS matched FROM step"
        " WHERE organization_id = ? AND provider = ? AND outcome IN ('match', 'no_match')",
        [organization_id, provider_id],
    )
    asked, matched = int(found[0]["asked"]), int(found[0]["matched"] or 0)
    return (matched + PRIOR_MATCH_RATE * PRIOR_WEIGHT) / (asked + PRIOR_WEIGHT)


async def _extra_rate(organization_id: str, provider_id: str, price: int) -> float:
    """Of the matches that might have cost more than `price`, the share that did."""
    found = await query(
        "SELECT COUNT(*) AS matched, SUM(CASE WHEN -charged.amount > ? THEN 1 ELSE 0 END) AS dear"
        " FROM credit_entry charged JOIN credit_entry held ON held.id = charged.settles"
        " WHERE charged.organization_id = ? AND charged.provider = ? AND charged.kind = 'charge'"
        " AND held.reserved_change > ?",
        [price, organization_id, provider_id, price],
    )
    matched, dear = int(found[0]["matched"]), int(found[0]["dear"] or 0)
    return (dear + PRIOR_EXTRA_RATE * PRIOR_WEIGHT) / (matched + PRIOR_WEIGHT)
