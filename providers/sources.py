"""The sources of a waterfall that providers make up, and the question that asking one of them comes to."""

from collections.abc import Iterable, Mapping
from typing import Any

from enrichment.enums import EntityType
from enrichment.waterfall.company_question import FIELDS_OF_COMPANY, company_of
from enrichment.waterfall.planner import COMPANY, Source
from enrichment.waterfall.session import SessionQuestion
from providers.api import ProviderInfo, Question

_NOTHING: frozenset[str] = frozenset()


def sources_of(infos: Iterable[ProviderInfo], entity_type: EntityType, *, company_questions: bool) -> list[Source]:
    """The sources for records of one type, in order of priority: all questions about the person, then the company.

    With `company_questions` a provider that knows companies is asked about that of a person in a question of its own.
    """
    infos = list(infos)
    if entity_type is EntityType.ACCOUNT or not company_questions:
        return [info.source(entity_type) for info in infos]
    companies = [source for info in infos if (source := _company_source(info, entity_type)) is not None]
    apart = {source.provider: source.gives for source in companies}
    return [*(info.source(entity_type).apart_from(apart.get(info.id, _NOTHING)) for info in infos), *companies]


def _company_source(info: ProviderInfo, entity_type: EntityType) -> Source | None:
    """None where answers are not kept, and so not shared, or the provider's own question is about the company alone."""
    of_person, of_account = info.gives.get(entity_type, _NOTHING), info.gives.get(EntityType.ACCOUNT, _NOTHING)
    gives = frozenset(name for name, field in FIELDS_OF_COMPANY.items() if field in of_account)
    if not gives or not info.keeps_answers or (of_person and of_person <= FIELDS_OF_COMPANY.keys()):
        return None
    return Source(info.id + COMPANY, gives, info.price, counts_misses=info.counts_misses)


def question_of(info: ProviderInfo, entity_type: EntityType, asked: SessionQuestion, organization_id: str) -> Question:
    """The question to put to a provider."""
    if not asked.source.is_about_company:
        return Question(entity_type, asked.fields, asked.wanted, organization_id)
    return company_question(info, asked.fields, organization_id)


def company_question(info: ProviderInfo, fields: Mapping[str, Any], organization_id: str) -> Question:
    """The account's own question about the company of a person with these fields. It wants all but what costs more."""
    kind = EntityType.ACCOUNT
    wanted = info.gives.get(kind, _NOTHING) - info.extra_for.get(kind, _NOTHING)
    return Question(kind, company_of(fields) or {}, wanted, organization_id)
