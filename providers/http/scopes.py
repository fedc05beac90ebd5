"""What the keys of accounts may look up: a refused call closes its kind for a while, and leaves others alone."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping

from providers.api import ProviderError, Question
from providers.http.adapter import Adapter, KeyCheck, Reply, Scoped

CLOSED_SECONDS = 600.0  # until a refused kind is tried again: somebody may have widened the key
_MOST_ACCOUNTS = 10_000
PEOPLE, COMPANIES = "people", "companies"


async def tried(calls: Mapping[str, Callable[[], Awaitable[Reply]]]) -> dict[str, bool]:
    """Whether a key may make calls, by scope, which cost nothing since they lack what is looked up by.

    Left out is what a reply says nothing of: a limit that is reached, a server that fails.
    """
    may: dict[str, bool] = {}
    for scope, call in calls.items():
        try:
            status = (await call()).status
        except ProviderError:
            continue
        if status < 500 and status not in {401, 429}:
            may[scope] = status != 403
    return may


def unusable(refusal: ProviderError) -> KeyCheck:
    """The check of a key that was refused. Raises the error of any other failure."""
    if refusal.code not in {"bad_key", "no_access"}:
        raise refusal
    return KeyCheck(valid=False, detail=refusal.message)


class KeyScopes:
    """The refused scopes of all accounts at one provider, as this process knows them."""

    def __init__(self, adapter: Adapter, clock: Callable[[], float] = time.monotonic) -> None:
        self._adapter = adapter if isinstance(adapter, Scoped) else None
        self._name = adapter.info.name
        self._clock = clock
        self._closed: OrderedDict[tuple[str, str], float] = OrderedDict()  # until when, by account and scope

    def check(self, account: str, question: Question) -> str:
        """The scope that the question needs; empty where there are none.

        Raises ProviderError `no_access` where the key was refused it lately.
        """
        if self._adapter is None:
            return ""
        scope = self._adapter.scope_of(question)
        if self._is_closed(account, scope):
            raise ProviderError("no_access", f"{self._name} gives this key no access to {scope}", retryable=False)
        return scope

    def refused(self, account: str, scope: str, error: ProviderError) -> ProviderError:
        """The error of a refused call. A key that may look up nothing at all is a bad one."""
        if self._adapter is None or not scope:
            return ProviderError("bad_key", error.message, retryable=False)
        self._closed[account, scope] = self._clock() + CLOSED_SECONDS
        if len(self._closed) > _MOST_ACCOUNTS:
            self._closed.popitem(last=False)
        if all(self._is_closed(account, other) for other in self._adapter.scopes):
            return ProviderError("bad_key", error.message, retryable=False)
        return error

    def opened(self, account: str) -> None:
        """Try again what the account was refused."""
        for key in [key for key in self._closed if key[0] == account]:
            del self._closed[key]

    def known(self, account: str, tried: Mapping[str, bool]) -> Mapping[str, bool]:
        """What the account may look up, by what was tried just now and what was refused lately."""
        scopes = sorted(self._adapter.scopes) if self._adapter is not None else ()
        refused = {scope: False for scope in scopes if self._is_closed(account, scope)}
        return {scope: may for scope in scopes if (may := tried.get(scope, refused.get(scope))) is not None}

    def _is_closed(self, account: str, scope: str) -> bool:
        return self._closed.get((account, scope), 0.0) > self._clock()
