"""Reading replies of any make: a value of the expected type or nothing, and the outcomes that providers share."""

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from enrichment.catalogue import Refused, fields_of, normalize, reads_by_country
from providers.api import Answer, Finding, ProviderError, Question
from providers.http.adapter import Http, Reply

OPTED_OUT = Answer(matched=False, detail="the person asked not to be processed", uncounted=True, opted_out=True)

LONGEST_PAUSE = 86400.0  # a longer one that a reply names is a mistake of whoever wrote it, and is not heeded
MOST_ITEMS = 500  # of a list that is read
MOST_LETTERS = 20_000  # of a text that is read
_LONGEST_WAIT = 31 * 86400.0  # until credits are renewed
_UNREADABLE = "\ufffd"  # in place of a letter that could not be decoded
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_MONTH_FIRST = re.compile(r"([0-9]{1,2})/([0-9]{1,2})/([0-9]{4})")
_MASKED = re.compile(r"[*\u2022]{2,}")  # in place of letters that the provider sells apart
_RETRYABLE = frozenset({408, 425})


def text(value: Any) -> str | None:
    """The text without surrounding space; None for one that is empty, unreadable or endless, and for what is none."""
    if not isinstance(value, str) or len(value) > MOST_LETTERS or _UNREADABLE in value:
        return None
    return value.strip() or None


def number(value: Any) -> float | int | None:
    """A finite number, also one written as text."""
    if isinstance(value, str) and _NUMBER.fullmatch(value.strip()):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return int(value) if value == int(value) else value


def consumed(value: Any) -> float | int | None:
    """The credits that an answer says it consumed; None for a figure that cannot be one."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def positive(value: Any) -> float | int | None:
    """A number above 0: where 0 only says that nobody counted."""
    found = number(value)
    return found if found is not None and found > 0 else None


def mapping(value: Any) -> Mapping[str, Any]:
    """A JSON object; an empty one for everything else."""
    return value if isinstance(value, dict) else {}


def items(value: Any) -> Sequence[Any]:
    """A JSON array, of an endless one its beginning; for one value that is no array, that value alone."""
    if isinstance(value, list):
        return value if len(value) <= MOST_ITEMS else value[:MOST_ITEMS]
    return () if value is None else (value,)


def at(value: Any, *path: str) -> Any:
    """The value at the path into nested objects; None where it leads nowhere."""
    for name in path:
        value = mapping(value).get(name)
    return value


def moment(value: Any) -> datetime | None:
    """When something was, from an ISO 8601 date or time or an American date; UTC where no zone is named."""
    written = text(value)
    if written is None:
        return None
    american = _MONTH_FIRST.match(written)
    if american:
        written = f"{american[3]}-{int(american[1]):02}-{int(american[2]):02}"
    try:
        read = datetime.fromisoformat(written)
        return read.astimezone(UTC) if read.tzinfo else read.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def retry_after(reply: Reply, now: float) -> float | None:
    """Seconds that a reply's `Retry-After` asks to wait, whether it names seconds or a date.

    None without one, and for one beyond LONGEST_PAUSE: misconfigured gateways name the year 2099.
    """
    written = reply.headers.get("retry-after", "").strip()
    if _NUMBER.fullmatch(written):
        return sensible_pause(float(written))
    try:
        return sensible_pause(seconds_until(parsedate_to_datetime(written).timestamp(), now))
    except (ValueError, OverflowError, TypeError):
        return None


def sensible_pause(seconds: float | None) -> float | None:
    """The seconds of a pause that a reply names; None for one that is longer than LONGEST_PAUSE."""
    return seconds if seconds is not None and seconds <= LONGEST_PAUSE else None


def seconds_until(epoch_seconds: Any, now: float) -> float | None:
    """Seconds from `now` until a moment in seconds since 1970; None where it names none, or one that is past."""
    when = number(epoch_seconds)
    return min(when - now, _LONGEST_WAIT) if when is not None and when > now else None


def account_of(http: Http) -> str:
    """A name for the account that tells it from others and does not tell its key."""
    return hashlib.sha256(http.key.encode("utf-8", "surrogatepass")).hexdigest()


def json_or_nothing(reply: Reply) -> Any:
    """The body as JSON; None when it is something else, as the bodies of errors may be."""
    try:
        return reply.json()
    except ProviderError:
        return None


def failure(provider: str, reply: Reply, *, code: str = "", wait: float | None = None) -> ProviderError:
    """The error that a reply without an answer means, by its status alone.

    `code` is the provider's own name of the error, `wait` the seconds until it may be asked again. Texts of the
    provider are left out, since they may repeat what was sent.
    """
    status_text = f"{provider} answered {reply.status}" + (f" {code[:40].replace('_', ' ')}" if code else "")
    match reply.status:
        case 402:
            return ProviderError(
                "out_of_credits", f"{status_text}: out of credits", retryable=False, retry_after_seconds=wait
            )
        case 401:
            return ProviderError("bad_key", f"{status_text}: the key is not valid", retryable=False)
        case 403:
            return ProviderError("no_access", f"{status_text}: the key has no access to this call", retryable=False)
        case 429:
            return ProviderError(
                "rate_limited", f"{status_text}: too many calls", retryable=True, retry_after_seconds=wait
            )
        case status if status >= 500 or status in _RETRYABLE:
            return ProviderError("unavailable", status_text, retryable=True, retry_after_seconds=wait)
        case 202:
            return ProviderError(
                "unavailable", f"{status_text}: no answer yet", retryable=True, retry_after_seconds=wait
            )
        case status if status < 400:
            return ProviderError(
                "invalid_answer",
                f"{status_text}, which is no answer to this call",
                retryable=False,
                maybe_charged=reply.is_success,
            )
        case _:
            return ProviderError("rejected", f"{status_text}: the request was not accepted", retryable=False)


def unreadable(provider: str, fault: str = "is no record") -> ProviderError:
    """The error of a successful reply in an unknown form. Its look-up may have been charged."""
    return ProviderError("invalid_answer", f"{provider}'s answer {fault}", retryable=False, maybe_charged=True)


class Findings:
    """Collects the findings of one answer, with canonical values.

    A value that is empty, masked or impossible for its field is left out; the first value of a field stays.
    """

    def __init__(self, question: Question, confidence: float, observed_at: datetime | None) -> None:
        self._entity_type = question.entity_type
        self._records_country = question.fields.get("country")
        self._confidence = confidence
        self._observed_at = observed_at
        self._found: dict[str, Finding] = {}
        self.country: str | None = None  # by which phones, states and post codes are read

    def in_country(self, raw: Any) -> None:
        """Read the values that follow as of this country, if it is one."""
        self.country = self._canonical("country", raw)

    def add(self, field: str, value: Any, share: float = 1.0) -> None:
        """Add a value with `share` (0-1) of the confidence in the answer as a whole."""
        if isinstance(value, str):
            value = text(value)
        if value is None or field in self._found or (isinstance(value, str) and _MASKED.search(value)):
            return
        if isinstance(value, list):
            value = value[:MOST_ITEMS]
        canonical = self._canonical(field, value)
        if canonical is None and self._is_national(field, value):
            canonical = (
                value  # whoever reads the answer knows the record's country, and may reuse it for another record
            )
        if canonical is not None:
            confidence = round(min(max(self._confidence * share, 0.0), 1.0), 3)
            self._found[field] = Finding(field, canonical, confidence, self._observed_at)

    def all(self) -> tuple[Finding, ...]:
        """The findings, in the order in which they were added."""
        return tuple(self._found.values())

    def _is_national(self, field: str, value: Any) -> bool:
        """Whether a value of a source that names no country is one of the record's: `030 901820` in Germany."""
        if self.country is not None or field not in fields_of(self._entity_type):
            return False
        return (
            reads_by_country(self._entity_type, field) and self._read(field, value, self._records_country) is not None
        )

    def _canonical(self, field: str, value: Any) -> Any:
        return self._read(field, value, self.country)

    def _read(self, field: str, value: Any, country: Any) -> Any:
        try:
            return normalize(self._entity_type, field, value, hints={"country": country})
        except (Refused, KeyError):
            return None
