"""Answers to a question of which something was required: a match serves who wants more, a miss does not."""

from dataclasses import dataclass

import pytest
from arq.connections import ArqRedis

from enrichment.enums import EntityType
from providers.api import Question
from resolvers.credit.api import get_credits
from tests.support.factories import ALL_FIELDS, StandIn, configure, context, send, services, work

pytestmark = pytest.mark.usefixtures("db")

PHONES = frozenset({"mobilePhone"})


@dataclass
class Requiring(StandIn):
    """Is asked for people with a mobile number where nothing else is wanted."""

    price: int = 1
    keeps_days: int = 30

    def input_key(self, question: Question) -> str | None:
        return self.narrower_keys(question)[0] if question.wanted <= PHONES else str(question.fields["email"])

    def narrower_keys(self, question: Question) -> list[str]:
        return [f"{question.fields['email']} with phone"]


@pytest.mark.parametrize("knows", [True, False])
async def test_a_match_with_more_than_was_wanted_serves_who_wants_the_rest(redis: ArqRedis, knows: bool) -> None:
    answers = {"ann@acme.com with phone": {"mobilePhone": "+12025550164", "title": "CTO"}} if knows else {}
    provider = Requiring(knows=answers, gives={EntityType.LEAD: ALL_FIELDS[EntityType.LEAD]})
    ctx = context(services(redis, provider))
    await configure(ctx, fieldPolicies={"lead": {"default": "never", "fields": {"mobilePhone": "review"}}})
    await send(ctx, "lead", "L1", email="ann@acme.com")
    await work(ctx.services)
    await configure(ctx, fieldPolicies={"lead": {"default": "review", "fields": {"mobilePhone": "never"}}})
    await send(ctx, "lead", "L2", email="ann@acme.com")
    await work(ctx.services)
    asked = ["ann@acme.com with phone"]
    assert provider.asked == (asked if knows else [*asked, "ann@acme.com"])
    assert (await get_credits(ctx)).used == int(knows)
