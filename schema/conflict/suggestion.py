"""Rules that reviewers already follow: suggested, accepted, dismissed."""

from typing import Self

import strawberry

from resolvers.conflict import suggestions as operations
from schema.base.context import Info
from schema.base.node import Node
from schema.config.config import Config, ReviewRule
from schema.conflict.bulk import ResolveConflictResult


@strawberry.type(description="A rule that reviewers already follow, with how it would have done.")
class RuleSuggestion(Node):
    id: strawberry.ID = strawberry.field(description="The same for the same rule.")
    rule: ReviewRule
    text: str = strawberry.field(description="All of it in plain words.")
    seen: int = strawberry.field(description="How many of the latest 5,000 decisions the rule speaks of.")
    agreed: int = strawberry.field(description="In how many of them the reviewer did the same.")
    would_have_been_wrong: int = strawberry.field(description="In how many the reviewer did something else.")
    tested: int = strawberry.field(description="How many of them, the newest, the rule was not fitted on.")
    tested_wrong: int = strawberry.field(description="In how many of those the reviewer did something else.")
    settles_open: int = strawberry.field(description="Open conflicts it would settle, among the newest 10,000.")

    @classmethod
    def of(cls, view: operations.RuleSuggestion) -> Self:
        suggestion = view.suggestion
        return cls(
            id=strawberry.ID(suggestion.id),
            rule=ReviewRule.of(suggestion.rule),
            text=view.text,
            seen=suggestion.seen,
            agreed=suggestion.agreed,
            would_have_been_wrong=suggestion.wrong,
            tested=suggestion.tested,
            tested_wrong=suggestion.tested - suggestion.tested_agreed,
            settles_open=view.settles_open,
        )


@strawberry.type(description="The configuration with the new rule, and what became of the open conflicts it covers.")
class AcceptRulePayload:
    rule: ReviewRule
    config: Config
    resolution_id: strawberry.ID | None = strawberry.field(
        description="With it all that was settled can be taken back; null where nothing was to be settled."
    )
    results: list[ResolveConflictResult]
    resolved: int = strawberry.field(description="How many of the results are resolved now.")
    remaining: int = strawberry.field(description="How many it covers are still open; the same again goes on.")

    @classmethod
    def of(cls, accepted: operations.Accepted) -> Self:
        resolved = accepted.resolved
        return cls(
            rule=ReviewRule.of(accepted.rule),
            config=Config.of(accepted.config),
            resolution_id=None if resolved is None else strawberry.ID(resolved.resolution_id),
            results=[ResolveConflictResult.of(outcome) for outcome in accepted.outcomes],
            resolved=sum(outcome.error is None for outcome in accepted.outcomes),
            remaining=accepted.remaining,
        )


@strawberry.type
class SuggestionQuery:
    @strawberry.field(description="Rules that reviewers already follow, tried on their own decisions.")
    async def rule_suggestions(self, info: Info) -> list[RuleSuggestion]:
        return [RuleSuggestion.of(view) for view in await operations.list_suggestions(info.context)]


@strawberry.type
class SuggestionMutation:
    @strawberry.mutation(
        description="Make a suggestion a rule of the configuration, and settle by it the open conflicts that it covers,"
        " 1,000 at most. VERSION_MISMATCH unless `expectedVersion` is the configuration's."
    )
    async def accept_rule_suggestion(
        self, info: Info, id: strawberry.ID, expected_version: int | None = None, apply_to_open: bool = True
    ) -> AcceptRulePayload:
        accepted = await operations.accept_suggestion(
            info.context, id, expected_version=expected_version, apply_to_open=apply_to_open
        )
        return AcceptRulePayload.of(accepted)

    @strawberry.mutation(description="Hear no more of a suggestion, whatever its least confidence.")
    async def dismiss_rule_suggestion(self, info: Info, id: strawberry.ID) -> bool:
        await operations.dismiss_suggestion(info.context, id)
        return True
