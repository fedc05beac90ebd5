"""A provider that a description makes: a URL, a header for the key, and where each field stands in the answer.

For sources of an operator's own, without code. `providers.described.description` says what a description may hold.
"""

import json
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from hashlib import blake2b
from pathlib import Path
from typing import Any
from urllib.parse import quote

from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from enrichment.catalogue import fields_of
from providers.api import NO_MATCH, Answer, ProviderError, ProviderInfo, Question
from providers.described.description import KEY, OWN_FIELD, PLACEHOLDER, Description, address_of, templates
from providers.described.file import DescriptionError, read_descriptions
from providers.http.adapter import Http, KeyCheck, Pending, Reply
from providers.http.inputs import company_domain, company_name, is_account, persons_email, persons_name
from providers.http.replies import OPTED_OUT, Findings, consumed, failure, moment, retry_after, text
from providers.http.unanswered import is_not_yet
from providers.matching.company_fit import NOT_IT, SURE, fit_of_company, less_sure
from providers.matching.identity import StatedIdentity, is_asked_person, wrong_entity

__all__ = ["Described", "DescriptionError", "load_described"]

_DERIVED: Mapping[str, Callable[[Question], str | None]] = {
    "companyDomain": company_domain,
    "companyName": company_name,
    "fullName": lambda question: " ".join(persons_name(question) or ()) or None,
}
_DOTS = frozenset({".", ".."})
_AGAIN, _AGAIN_AFTER = "again", 30.0  # the token of an answer that comes later, and seconds until it is asked for
_LONGEST = 500  # characters of a value that is sent


def load_described(path: Path, taken_ids: Collection[str] = ()) -> tuple["Described", ...]:
    """The providers that a JSON file describes, or the `.json` files of a folder.

    `taken_ids` are the ids that other providers have. Raises DescriptionError with all that is wrong.
    """
    descriptions = read_descriptions(path)
    doubled = [
        f"id: {description.id} is the id of another provider"
        for description in descriptions
        if description.id in taken_ids
    ]
    if doubled:
        raise DescriptionError(doubled)
    return tuple(map(Described, descriptions))


class Described:
    """The adapter of one description. `wall` gives seconds since 1970."""

    def __init__(self, description: Description, wall: Callable[[], float] = time.time) -> None:
        self._description = description
        self._wall = wall
        self._address = address_of(description.request.url)
        request = [description.request.url, description.request.body]
        names = (name for template in templates(request) for name in PLACEHOLDER.findall(template))
        self._needed = tuple(dict.fromkeys(names))
        self.info = _info(description, self._needed)
        self.bases: Mapping[str, str] = {"": self._address.base}
        self.calls_per_minute = description.calls_per_minute
        self._version = _digest(description)

    def input_key(self, question: Question) -> str | None:
        values = self._values(question)
        if values is None:
            return None
        of_kind = "account" if is_account(question) else "person"
        return "|".join((self._version, of_kind, json.dumps(values, sort_keys=True, ensure_ascii=True)))

    async def look_up(self, question: Question, http: Http) -> Answer | Pending:
        values = self._values(question)
        if values is None:
            raise ProviderError("rejected", f"{self.info.name} needs {self.info.needs}", retryable=False)
        reply = await self._send(values, http)
        if reply.status in self._description.no_match_status or reply.status == 204:
            return NO_MATCH
        if reply.status == 451:
            return OPTED_OUT
        wait = retry_after(reply, self._wall())
        if not 200 <= reply.status < 300:
            raise failure(self.info.name, reply, wait=wait)
        answer = NO_MATCH if reply.status == 202 else self._read(question, reply.json())
        if not answer.matched and is_not_yet(reply):
            return Pending(_AGAIN, max(wait or _AGAIN_AFTER, 1.0))
        return answer

    async def poll(self, token: str, question: Question, http: Http) -> Answer | Pending:
        """Ask the same again: a description names no other call."""
        return await self.look_up(question, http)

    async def check_key(self, http: Http) -> KeyCheck:
        """Its description names no call that would cost nothing, so none is made."""
        return KeyCheck(valid=True, detail="not checked: a look-up is the only call that its description names")

    def _values(self, question: Question) -> dict[str, Any] | None:
        """The values of the placeholders; None where the record lacks one of them."""
        values = {name: _value_of(question, name) for name in self._needed}
        if any(value is None for value in values.values()):
            return None
        return None if _DOTS.intersection(_filled_path(self._address.path, values).split("/")) else values

    async def _send(self, values: Mapping[str, Any], http: Http) -> Reply:
        request, auth = self._description.request, self._description.auth
        headers = {"Accept": "application/json", **request.headers}
        if auth is not None:
            if not http.key.isprintable() or not http.key.isascii():
                raise ProviderError("bad_key", "the key holds characters that a header cannot", retryable=False)
            headers[auth.header] = auth.value.replace(KEY, http.key)
        return await http.send(
            request.method,
            _filled_path(self._address.path, values),
            params={name: str(_filled(template, values)) for name, template in self._address.query},
            json=_filled(request.body, values) if request.body is not None else None,
            headers=headers,
        )

    def _read(self, question: Question, body: Any) -> Answer:
        description = self._description
        stated = consumed(_search(description.consumed, body)) if description.consumed else None
        if description.opt_out is not None and _is_true(_search(description.opt_out, body)):
            return replace(OPTED_OUT, stated=stated)
        if description.match is not None and not _is_true(_search(description.match, body)):
            return replace(NO_MATCH, stated=stated)
        fit = self._fit_of(question, body)
        if fit == NOT_IT:
            raise wrong_entity(self.info.name, stated)
        seen = moment(_search(description.observed_at, body)) if description.observed_at else None
        findings = Findings(question, 1.0, seen)
        if country := description.fields.get("country"):
            findings.in_country(_search(country.value, body))
        known = fields_of(question.entity_type)
        for field, reading in description.fields.items():
            if field in known:
                findings.add(field, _search(reading.value, body), reading.confidence or description.confidence)
        found = less_sure(findings.all(), fit)
        return Answer(matched=True, findings=found, stated=stated) if found else replace(NO_MATCH, stated=stated)

    def _fit_of(self, question: Question, body: Any) -> float:
        where = self._description.identity
        domain, email, name = (
            text(_search(expression, body)) if expression is not None else None
            for expression in (where.domain, where.email, where.name)
        )
        if persons_email(question) and email:
            stated = StatedIdentity(email=email, domains=[domain], employers=[name])
            return SURE if is_asked_person(question, stated) else NOT_IT
        return fit_of_company(question, [domain], name)


def _info(description: Description, needed: tuple[str, ...]) -> ProviderInfo:
    read = description.fields.keys()
    return ProviderInfo(
        id=description.id,
        name=description.name,
        gives={
            entity_type: frozenset(read & fields_of(entity_type).keys()) for entity_type in description.entity_types
        },
        needs=description.needs or ", ".join(name.removeprefix(OWN_FIELD) for name in needed),
        price=description.price,
        answer_lifetime_days=description.answer_lifetime_days,
        miss_lifetime_days=description.miss_lifetime_days,
        remote=True,
        needs_key=description.auth is not None,
        attribution=description.attribution,
    )


def _digest(description: Description) -> str:
    """Changes with the description, so that cached answers of an earlier one are not used.

    What an answer cost does not change what it says, and what came to be described later is left out where it is unset.
    """
    unset = {"opt_out"} if description.opt_out is None else set()
    content = json.dumps(
        description.model_dump(exclude={"consumed", *unset}), sort_keys=True, default=lambda parsed: parsed.expression
    )
    return blake2b(content.encode(), digest_size=6).hexdigest()


def _value_of(question: Question, name: str) -> str | int | float | None:
    derive = _DERIVED.get(name)
    value = derive(question) if derive else question.fields.get(name.removeprefix(OWN_FIELD))
    if isinstance(value, str):
        return value.strip()[:_LONGEST] or None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _filled(template: Any, values: Mapping[str, Any]) -> Any:
    """The template with its placeholders filled; one that is a whole text keeps its value's type."""
    if isinstance(template, str):
        whole = PLACEHOLDER.fullmatch(template)
        return values[whole[1]] if whole else PLACEHOLDER.sub(lambda name: str(values[name[1]]), template)
    if isinstance(template, dict):
        return {name: _filled(item, values) for name, item in template.items()}
    if isinstance(template, list):
        return [_filled(item, values) for item in template]
    return template


def _filled_path(template: str, values: Mapping[str, Any]) -> str:
    return PLACEHOLDER.sub(lambda name: quote(str(values[name[1]]), safe=""), template)


def _search(expression: ParsedResult, body: Any) -> Any:
    """What the expression finds; nothing where its functions do not take what stands there."""
    try:
        return expression.search(body)
    except (JMESPathError, TypeError, ValueError):
        return None


def _is_true(value: Any) -> bool:
    """As JMESPath has it: nothing, false and what is empty are false; 0 is true."""
    return not (value is None or value is False or value in ("", [], {}))
