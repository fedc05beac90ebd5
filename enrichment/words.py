"""Plain words for the closed lists of the domain, and the names of sources, for sentences that people read."""

from collections.abc import Callable, Mapping

from enrichment.enums import (
    SOURCE_CRM,
    SOURCE_REVIEWER,
    FieldOutcomeReason,
    FieldPolicy,
    JobStatus,
    JobTrigger,
)
from enrichment.waterfall.skip_reason import SkipReason

Names = Mapping[str, str]  # the name of each provider, by its id
NO_NAMES: Names = {}
NameOf = Callable[[str], str]

STARTED_BY: Mapping[JobTrigger, str] = {
    JobTrigger.RECORD_CREATED: "because the record arrived",
    JobTrigger.RECORD_UPDATED: "because the record changed",
    JobTrigger.SCHEDULED_REFRESH: "as a scheduled refresh",
    JobTrigger.MANUAL: "by hand",
    JobTrigger.CREDITS_RESTORED: "because credits had returned",
}
"""How a job was started: "a job that was started …"."""

POLICIES: Mapping[FieldPolicy, str] = {
    FieldPolicy.FILL_EMPTY: "to fill it only where it is empty",
    FieldPolicy.TRACKED: "to fill it and to update what enrichment wrote",
    FieldPolicy.REVIEW: "to ask a person where a source differs from the CRM or a reviewer",
    FieldPolicy.OVERWRITE: "to overwrite it",
    FieldPolicy.NEVER: "to leave it alone",
}
"""What a field's policy is: "the policy of the field is …"."""

LEFT_ALONE = "left it as it was"
ENDED: Mapping[FieldOutcomeReason, str] = {
    FieldOutcomeReason.WRITTEN: "wrote it",
    FieldOutcomeReason.SAME: "found the same value",
    FieldOutcomeReason.VERIFIED: "confirmed it",
    FieldOutcomeReason.PROTECTED: LEFT_ALONE,
    FieldOutcomeReason.BELOW_THRESHOLD: "found no value that is certain enough",
    FieldOutcomeReason.CONFLICT: "put it to a person",
    FieldOutcomeReason.NO_DATA: "found no value for it",
    FieldOutcomeReason.SKIPPED: "asked nobody for it",
    FieldOutcomeReason.ERROR: "could not look it up",
}
"""What a job did with a field: "the last job …"."""

NOT_ASKED: Mapping[SkipReason, str] = {
    SkipReason.SETTLED: "the others had settled all that it could give",
    SkipReason.NOT_OFFERED: "it gives nothing that is wanted for this record",
    SkipReason.NOT_ENOUGH_INPUT: "the record has not enough to ask with",
    SkipReason.INSUFFICIENT_CREDITS: "there were not enough credits",
    SkipReason.PER_RECORD_MAX: "the most that one record may cost was reached",
    SkipReason.PROVIDER_DAILY_LIMIT: "the provider's own limit for the day was reached",
    SkipReason.CREDITS_HELD: "the credits that are left are set aside for calls under way",
    SkipReason.OUT_OF_TURN: "as many calls as it takes are under way",
    SkipReason.NOT_WORTH_PAYING: "only checks were left, and it costs credits",
    SkipReason.NO_KEY: "there is no key for it",
    SkipReason.BUDGET: "the credits that the request allowed were used up",
    SkipReason.UNKNOWN: "nobody has been asked this yet",
    SkipReason.WAITING: "its answer comes later",
    SkipReason.SUPPRESSED: "the record is on the suppression list",
    SkipReason.OPTED_OUT: "the person asked a provider not to be processed",
    SkipReason.WITHDRAWN: "the job was cancelled, or its record erased, while it ran",
}
"""Why a provider was not asked."""

WITHHELD = "what was found would bring back a person who was erased"
NO_PROVIDER = "no provider that is switched on gives this field"
_CODES: Mapping[str, str] = {reason.value: words for reason, words in NOT_ASKED.items()} | {"no_provider": NO_PROVIDER}


def of_status(status: JobStatus) -> str:
    """A job's status in a sentence."""
    return status.value.replace("_", " ")


def of_detail(detail: str) -> str:
    """A detail as it was stored: earlier versions stored the code of a reason in its place."""
    return _CODES.get(detail, detail)


def source_name(source: str, names: Names = NO_NAMES) -> str:
    """Whose a value is, in the middle of a sentence; a provider that is not known any more goes by its id in words."""
    if source == SOURCE_CRM:
        return "the CRM"
    if source == SOURCE_REVIEWER:
        return "a reviewer"
    return names.get(source) or at_start(source.replace("_", " "))


def naming(names: Names) -> NameOf:
    """`source_name` with these names of providers."""
    return lambda source: source_name(source, names)


def at_start(words: str) -> str:
    """The words as the start of a sentence."""
    return f"{words[:1].upper()}{words[1:]}"


_SPELLED = {"url": "URL", "linkedin": "LinkedIn", "naics": "NAICS", "sic": "SIC"}


def field_words(name: str) -> str:
    """The name of a field as people write it, in the middle of a sentence: `postalCode` is "postal code"."""
    words = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).split()
    return " ".join(_SPELLED.get(word, word) for word in words)
