"""Why a provider was not asked."""

from enum import StrEnum


class SkipReason(StrEnum):
    """Why a provider was not asked."""

    SETTLED = "settled"  # every field it could give has been settled
    NOT_OFFERED = "not_offered"  # it gives nothing for this entity type that is wanted
    NOT_ENOUGH_INPUT = "not_enough_input"
    INSUFFICIENT_CREDITS = "insufficient_credits"
    PER_RECORD_MAX = "per_record_max"
    PROVIDER_DAILY_LIMIT = "provider_daily_limit"
    CREDITS_HELD = "credits_held"  # what is left is set aside for calls under way; the job goes on after them
    OUT_OF_TURN = "out_of_turn"  # as many calls as it takes are under way; the job goes on in its turn
    NOT_WORTH_PAYING = "not_worth_paying"  # only checks are left, and it costs credits
    NO_KEY = "no_key"  # neither the organization nor the installation has a key for it
    BUDGET = "budget"  # the request's own maxCredits are used up
    UNKNOWN = "unknown"  # in a replay or preview: nobody has been asked this yet
    WAITING = "waiting"  # its answer comes later; the job goes on then
    SUPPRESSED = "suppressed"  # the record, or what a source found of it, is on the suppression list
    OPTED_OUT = "opted_out"  # the person told a provider not to be processed, so that nobody else is asked either
    WITHDRAWN = "withdrawn"  # the job was cancelled, or its record erased, while it ran
