"""Counts GraphQL operations by their names, for the metrics: names of a closed list, as labels must be."""

import re
from collections.abc import Iterable

from strawberry.types import ExecutionResult
from strawberry.types.execution import PreExecutionError

from resolvers.errors import QueryTooComplex
from schema.root import ApiSchema
from service.graphql.operation import Operation
from service.http.metrics import Metrics

MOST_NAMES = 100  # that a process tells apart, the first that were answered, where any document may be sent
OTHER, ANONYMOUS = "other", "anonymous"
OK, ERRORS, REFUSED, STARTED = "ok", "errors", "refused", "started"

_NAMED = re.compile(r"\b(?:query|mutation|subscription)\s+(\w+)")


class CountedOperations:
    """The operations of this process. `allowed`: the only documents that are answered; None: any may be."""

    def __init__(self, metrics: Metrics, schema: ApiSchema, allowed: Iterable[str] | None) -> None:
        self._metrics = metrics
        self._schema = schema
        self._is_closed = allowed is not None
        self._names = {name for text in allowed or () for name in _NAMED.findall(text)}

    def answered(self, operation: Operation, result: ExecutionResult, seconds: float) -> None:
        """Count an operation by what became of it."""
        outcome = ERRORS if result.errors else OK
        if isinstance(result, PreExecutionError):
            outcome = REFUSED
            codes = [(error.extensions or {}).get("code") for error in result.errors or ()]
            if QueryTooComplex.code in codes:
                self._metrics.too_complex.inc()
        self._count(operation, outcome, seconds)

    def refused(self, operation: Operation) -> None:
        """Count an operation that was not executed."""
        self._count(operation, REFUSED, None)

    def started(self, operation: Operation) -> None:
        """Count an operation whose answers come one by one."""
        self._count(operation, STARTED, None)

    def _count(self, operation: Operation, outcome: str, seconds: float | None) -> None:
        kind, name = self._schema.named(operation.document, operation.name)
        self._metrics.operated(self._label(name, outcome) if kind else OTHER, kind or OTHER, outcome, seconds)

    def _label(self, name: str | None, outcome: str) -> str:
        if name is None:
            return ANONYMOUS
        if name not in self._names:
            if self._is_closed or outcome == REFUSED or len(self._names) >= MOST_NAMES:
                return OTHER
            self._names.add(name)
        return name
