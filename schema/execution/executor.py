"""The executor of operations: graphql-core's, with a shorter way for lists and objects of plain fields."""

from collections.abc import Awaitable
from typing import Any

from graphql import GraphQLList, GraphQLNonNull, GraphQLObjectType, GraphQLOutputType, GraphQLResolveInfo
from graphql.pyutils import Path
from strawberry.schema.schema import StrawberryGraphQLCoreExecutionContext

from schema.execution.object_plan import Details, ObjectPlan
from schema.execution.plans import Plans


class PlannedExecutor(StrawberryGraphQLCoreExecutionContext):
    """Completes by the plans of the operation's document, which its context holds, and as graphql-core otherwise."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Strawberry hands one over that is empty, and would be asked for each field.
        if self.middleware_manager is not None and not self.middleware_manager.middlewares:
            self.middleware_manager = None
        self._plans: Plans | None = getattr(self.context_value, "plans", None)

    def complete_list_value(
        self,
        return_type: GraphQLList[GraphQLOutputType],
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        item = return_type.of_type
        kind = item.of_type if isinstance(item, GraphQLNonNull) else item
        if isinstance(kind, GraphQLObjectType):
            plan = self._plan(kind, field_details_list)
            if plan is not None:
                try:
                    done = plan.of_list(result, nullable=kind is item)
                except Exception:  # whatever is unusual: graphql-core says what is wrong, if anything is
                    self._refused()
                else:
                    if done is not None:
                        self._taken()
                        return done
        return super().complete_list_value(return_type, field_details_list, info, path, result, position_context)

    def complete_object_value(
        self,
        return_type: GraphQLObjectType,
        field_details_list: Details,
        info: GraphQLResolveInfo[Any],
        path: Path,
        result: Any,
        position_context: Any,
    ) -> Any:
        plan = self._plan(return_type, field_details_list)
        if plan is not None:
            try:
                plain, left = plan.of_object(result)
            except Exception:  # as above
                self._refused()
            else:
                self._taken()
                if not left:
                    return plain
                rest = self.execute_fields(return_type, result, path, left, position_context)
                return _joined(plan, plain, rest, is_awaited=self.is_awaitable(rest))
        return super().complete_object_value(return_type, field_details_list, info, path, result, position_context)

    def _plan(self, kind: GraphQLObjectType, details: Details) -> ObjectPlan | None:
        return None if self._plans is None else self._plans.of(self, kind, details)

    def _taken(self) -> None:
        assert self._plans is not None
        self._plans.taken += 1

    def _refused(self) -> None:
        assert self._plans is not None
        self._plans.refused += 1


def _joined(plan: ObjectPlan, plain: dict[str, Any], rest: Any, *, is_awaited: bool) -> Any:
    """All fields of an object in the order of the selection."""
    if is_awaited:
        return _joined_later(plan, plain, rest)
    plain.update(rest)
    return {name: plain[name] for name in plan.order}


async def _joined_later(plan: ObjectPlan, plain: dict[str, Any], rest: Awaitable[dict[str, Any]]) -> dict[str, Any]:
    plain.update(await rest)
    return {name: plain[name] for name in plan.order}
