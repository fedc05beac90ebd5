"""Many questions in one request: what a provider that can be asked so offers, and how each question ends by itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from providers.api import Answer, Pending, ProviderError, Question

Outcome = Answer | Pending | ProviderError
"""How one question of a request ended. `maybe_charged` and `stated` of an error are what that question alone cost."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Questions of one organization with the same `kind` may go in one request, `most` of them."""

    kind: str
    most: int


@runtime_checkable
class BulkQuery(Protocol):
    """A provider that can be asked many questions by one request.

    Each is a question as `Provider.ask` takes it: with the same input key, the same answer and the same price.
    """

    def batch_of(self, question: Question) -> Batch | None:
        """With which others the question may go; None where it has to be asked alone."""

    async def ask_many(self, questions: Sequence[Question]) -> Sequence[Outcome]:
        """How each question ended, in their order. All are of one organization and one batch.

        `before_send` of each is awaited right before the request goes out; one that raises Withdrawn is left out of
        it and ends by that. Where the request as a whole fails, each question ends by that error. Raises CallDeferred
        where nothing was sent, since the limit of calls is reached.
        """
