"""ZoomInfo's two surfaces on the wire: requests with a token, records, and what its errors mean."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any

from providers.api import ProviderError
from providers.http.adapter import Http, Reply
from providers.http.bulk import all_of
from providers.http.replies import (
    account_of,
    at,
    failure,
    items,
    json_or_nothing,
    mapping,
    number,
    retry_after,
    seconds_until,
    text,
    unreadable,
)
from providers.zoominfo.auth import Tokens, read_key
from providers.zoominfo.parse import MATCHED

_JSON_API = "application/vnd.api+json"
_USUAL = MappingProxyType(
    {
        "contact": (
            *("firstName", "lastName", "email", "phone", "directPhoneDoNotCall", "mobilePhone"),
            *("mobilePhoneDoNotCall", "jobTitle", "jobFunction", "managementLevel", "externalUrls"),
            *("contactAccuracyScore", "city", "state", "country", "companyName", "companyWebsite"),
            "companyEmployeeCount",
        ),
        "company": (
            *("name", "website", "domainList", "phone", "employeeCount", "revenue", "city", "state", "country"),
            "socialMediaUrls",
        ),
    }
)
_MORE = MappingProxyType(
    {
        "contact": (
            *("street", "zipCode", "personHasMoved", "validDate", "lastUpdatedDate", "companyEmployeeRange"),
            *("companyRevenueNumeric", "companyRevenueRange", "companyPrimaryIndustry"),
        ),
        "company": (
            *("employeeRange", "revenueRange", "primaryIndustry", "industries", "foundedYear", "description"),
            *("street", "zipCode", "sicCodes", "naicsCodes", "ticker", "parentName", "logo", "lastUpdatedDate"),
        ),
    }
)
_OUT_OF_CREDITS = frozenset({"PFAPI0011"})
_BROKEN = frozenset({"PFAPI0007", "PFAPI0010"})
_NO_ACCESS = frozenset({"ZI0002", "ZI0003"})
_NO_SUCH_FIELD = "PFAPI0009"

Record = tuple[str | None, Mapping[str, Any]]  # match status and fields


class Protocol:
    """Calls in the name of any account. `wall` gives seconds since 1970; tokens are kept in this process only."""

    def __init__(self, wall: Callable[[], float] = time.time, clock: Callable[[], float] = time.monotonic) -> None:
        self._wall = wall
        self._tokens = Tokens(clock)
        self._usual_only: set[str] = set()  # digests of keys whose accounts may not have every field

    async def enrich(self, http: Http, kind: str, by: Mapping[str, str], required: str = "") -> Record:
        """Match status and fields of the one `contact` or `company`; no fields for a miss. Raises ProviderError.

        `required`: the field without which a contact is a miss.
        """
        reply, legacy = await self._reply(http, kind, [by], required)
        return _record(_first_object(_listed(reply.json(), legacy)), legacy)

    async def enrich_many(
        self, http: Http, kind: str, by: Sequence[Mapping[str, str]], required: str = ""
    ) -> Sequence[Callable[[], Record]]:
        """The same of each, in their order; a reader raises ProviderError where its own record is in no known form."""
        if len(by) == 1:
            record = await self.enrich(http, kind, by[0], required)
            return [lambda: record]
        reply, legacy = await self._reply(http, kind, by, required)
        found = all_of(_listed(reply.json(), legacy), len(by))
        if found is None:
            raise unreadable("ZoomInfo", "has not one record for each question")
        return [partial(_record_of, item, legacy) for item in found]

    async def _reply(self, http: Http, kind: str, by: Sequence[Mapping[str, str]], required: str) -> tuple[Reply, bool]:
        """The reply with the records, and whether it is of the older surface. Raises ProviderError for a refusal."""
        legacy = read_key(http.key).legacy
        account = account_of(http)
        if account not in self._usual_only:
            reply = await self._ask(http, legacy, kind, by, (*_USUAL[kind], *_MORE[kind]), required)
            if not _names_a_field_too_many(reply, legacy):
                return await self._served(http, reply, legacy)
        reply = await self._ask(http, legacy, kind, by, _USUAL[kind], required)
        if reply.status == 200:
            self._usual_only.add(account)
        return await self._served(http, reply, legacy)

    async def _served(self, http: Http, reply: Reply, legacy: bool) -> tuple[Reply, bool]:
        """Raises for a refusal. The older surface means by 403 that a limit is used up, or that there is no access."""
        if legacy and reply.status == 403 and not _used_up(reply) and await self._has_none_left(http):
            raise ProviderError("out_of_credits", "ZoomInfo's credits are used up (403)", retryable=False)
        if reply.status != 200:
            raise self._refusal(reply, json_or_nothing(reply), legacy)
        body = reply.json()
        if _error_code(body) is not None or at(body, "success") is False:
            raise self._refusal(reply, body, legacy)
        return reply, legacy

    async def _has_none_left(self, http: Http) -> bool:
        """Whether the account says that nothing is left; False where it cannot be read."""
        try:
            left = await self.credits_left(http)
        except ProviderError:
            return False
        return left is not None and left <= 0

    async def credits_left(self, http: Http) -> float | None:
        """What is left to be looked up, where the provider says; a free call. Raises ProviderError."""
        legacy = read_key(http.key).legacy
        reply = await self._send(http, legacy, "GET", "/lookup/usage" if legacy else "/data/v1/users/usage")
        if reply.status != 200:
            raise self._refusal(reply, json_or_nothing(reply), legacy)
        left = _least_left(reply.json())
        http.note_credits(left)
        return left

    async def ask_for_nobody(self, http: Http, kind: str) -> Reply:
        """The reply to a call that names no `contact` or `company`: an error, by which it is known to be allowed."""
        return await self._ask(http, read_key(http.key).legacy, kind, (), _USUAL[kind][:1])

    async def _ask(
        self,
        http: Http,
        legacy: bool,
        kind: str,
        by: Sequence[Mapping[str, str]],
        fields: Sequence[str],
        required: str = "",
    ) -> Reply:
        matching = "matchPersonInput" if kind == "contact" else "matchCompanyInput"
        attributes: dict[str, Any] = {
            matching: [_matching_input(legacy, each) for each in by],
            "outputFields": list(fields),
        }
        if required:
            attributes["requiredFields"] = [required]
        if legacy:
            return await self._send(http, legacy, "POST", f"/enrich/{kind}", attributes)
        of_kind, path = ("ContactEnrich", "contacts") if kind == "contact" else ("CompanyEnrich", "companies")
        body = {"data": {"type": of_kind, "attributes": attributes}}
        return await self._send(http, legacy, "POST", f"/data/v1/{path}/enrich", body)

    async def _send(self, http: Http, legacy: bool, method: str, path: str, json: Any = None) -> Reply:
        """A call with a token; once more with a new one where the token was refused that this process got."""
        media = "application/json" if legacy else _JSON_API
        headers = {"Accept": media} if json is None else {"Accept": media, "Content-Type": media}
        base = "legacy" if legacy else ""
        for _ in range(2):
            token = await self._tokens.token(http)
            headers["Authorization"] = f"Bearer {token}"
            reply = await http.send(method, path, base=base, json=json, headers=headers)
            if reply.status != 401 or not self._tokens.renewable(http, token):
                break
        if legacy and (left := number(reply.headers.get("x-usage-unique-id-limit-remaining"))) is not None:
            http.note_credits(left)
        return reply

    def _refusal(self, reply: Reply, body: Any, legacy: bool) -> ProviderError:
        """The error of a reply without a record, by its code, else by its status."""
        code = _error_code(body) or ""
        wait = retry_after(reply, self._wall())
        if code in _OUT_OF_CREDITS or (legacy and reply.status == 403 and _used_up(reply)):
            return ProviderError("out_of_credits", f"ZoomInfo's credits are used up ({code or 403})", retryable=False)
        if code in _BROKEN:
            return ProviderError("unavailable", f"ZoomInfo answered {code}", retryable=True, retry_after_seconds=wait)
        if code == "ZI0004" or reply.status == 429:
            reset = seconds_until(reply.headers.get("x-ratelimit-reset"), self._wall())
            return ProviderError(
                "rate_limited", "too many calls to ZoomInfo", retryable=True, retry_after_seconds=wait or reset or 1.0
            )
        if code == "ZI0001":
            return ProviderError("bad_key", f"ZoomInfo does not accept this key ({code})", retryable=False)
        if code in _NO_ACCESS:
            return ProviderError("no_access", f"ZoomInfo gives this key no access ({code})", retryable=False)
        return failure("ZoomInfo", reply, code=code, wait=wait)


def _listed(body: Any, legacy: bool) -> Any:
    return at(body, "data", "result") if legacy else at(body, "data")


def _record_of(item: Any, legacy: bool) -> Record:
    return _record(_first_object([item]), legacy)


def _record(found: Mapping[str, Any], legacy: bool) -> Record:
    """Match status and fields of one record; empty fields for a miss."""
    if legacy:
        return text(found.get("matchStatus")), _first_object(found.get("data") or [])
    status = text(at(found, "meta", "matchStatus"))
    missed = not found or found.get("type") == "NoMatch"
    if missed and status in {None, *MATCHED}:
        return "NO_MATCH", {}
    return status, mapping(found.get("attributes"))


def _first_object(listed: Any) -> Mapping[str, Any]:
    """The first of a list of objects; an empty object for an empty list. Raises ProviderError for anything else."""
    first: Any = next(iter(listed), {}) if isinstance(listed, list) else None
    if not isinstance(first, dict):
        raise unreadable("ZoomInfo", "has another form than its records")
    return first


def _matching_input(legacy: bool, by: Mapping[str, str]) -> dict[str, str]:
    website = by.get("companyWebsite")
    return {**by, "companyWebsite": f"http://{website}"} if legacy and website else dict(by)


def _names_a_field_too_many(reply: Reply, legacy: bool) -> bool:
    """Whether a field was asked for that the account may not have. The older surface says no more than 400."""
    return reply.status == 400 and (legacy or _error_code(json_or_nothing(reply)) == _NO_SUCH_FIELD)


def _error_code(body: Any) -> str | None:
    """The code in either form of ZoomInfo's errors: one object `error`, or a list `errors`."""
    for error in (at(body, "error"), *items(at(body, "errors"))):
        if code := text(at(error, "code")):
            return code
    return None


def _used_up(reply: Reply) -> bool:
    """Whether a limit of the Enterprise API's account is at its end, as its headers tell."""
    return any(
        name.startswith("x-usage-") and name.endswith("-remaining") and number(left) == 0
        for name, left in reply.headers.items()
    )


def _least_left(body: Any) -> float | None:
    """What is left to be looked up: the least that remains of any limit on records."""
    listed = items(at(body, "usage"))
    for found in items(at(body, "data")):
        listed = (*listed, *items(at(found, "attributes", "usage")))
    left = [
        remaining
        for limit in listed
        if "request" not in (text(at(limit, "limitType")) or "request").lower()
        and (remaining := number(at(limit, "usageRemaining"))) is not None
    ]
    return min(left, default=None)
