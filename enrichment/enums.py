"""The closed lists of the domain. Stored and shown by value (`in_progress`); GraphQL shows the names."""

from enum import StrEnum


class EntityType(StrEnum):
    """Which kind of CRM entity a record is."""

    LEAD = "lead"
    CONTACT = "contact"
    ACCOUNT = "account"


class JobStatus(StrEnum):
    """Where a job is. COMPLETED, PARTIAL, FAILED, SKIPPED and CANCELLED are final."""

    PENDING = "pending"  # stored; runs when due, or waits for its next attempt
    IN_PROGRESS = "in_progress"  # a worker holds its lease
    COMPLETED = "completed"  # every provider that should have answered did
    PARTIAL = "partial"  # something was written, but a provider that should have answered could not
    FAILED = "failed"  # nothing was written and no attempt is left
    SKIPPED = "skipped"  # cooldown, suppressed, nothing to fill, not enough input
    CANCELLED = "cancelled"  # stopped by a user

    @property
    def is_final(self) -> bool:
        return self not in ACTIVE_STATUSES


ACTIVE_STATUSES = frozenset({JobStatus.PENDING, JobStatus.IN_PROGRESS})
RETRYABLE_STATUSES = frozenset({JobStatus.FAILED, JobStatus.PARTIAL})


class JobTrigger(StrEnum):
    """What started a job."""

    RECORD_CREATED = "record_created"
    RECORD_UPDATED = "record_updated"
    SCHEDULED_REFRESH = "scheduled_refresh"
    MANUAL = "manual"
    CREDITS_RESTORED = "credits_restored"


class FieldPolicy(StrEnum):
    """What enrichment may do to a field."""

    FILL_EMPTY = "fill_empty"  # write only into an empty field
    TRACKED = "tracked"  # also update what enrichment itself wrote last
    REVIEW = "review"  # as tracked; a differing value of the CRM or a person raises a conflict
    OVERWRITE = "overwrite"  # write whenever confidence reaches the minimum
    NEVER = "never"  # leave the field alone


class StepOutcome(StrEnum):
    """How asking one provider ended."""

    MATCH = "match"
    NO_MATCH = "no_match"
    ERROR = "error"
    SKIPPED = "skipped"

    @property
    def is_answer(self) -> bool:
        """Whether the provider answered, with a match or without."""
        return self in {StepOutcome.MATCH, StepOutcome.NO_MATCH}


class AnsweredQuestion(StrEnum):
    """Which of a provider's two questions was answered."""

    RECORD = "record"
    COMPANY = "company"  # of the person whom the record is about


class FieldOutcomeReason(StrEnum):
    """How one wanted field of one job ended: exactly one reason each."""

    WRITTEN = "written"
    SAME = "same"  # a provider gave the value that is there already
    VERIFIED = "verified"  # the same value, observed later than ours
    PROTECTED = "protected"  # policy or a person's edit kept the value
    BELOW_THRESHOLD = "below_threshold"
    CONFLICT = "conflict"
    NO_DATA = "no_data"  # no provider that was asked had a value
    SKIPPED = "skipped"  # no provider that could have a value was asked; the detail says why
    ERROR = "error"  # a provider that could have a value failed

    @property
    def settles_conflict(self) -> bool:
        """Whether a field that ended so leaves no open conflict: its value was written, or a source gave the same."""
        return self in {FieldOutcomeReason.WRITTEN, FieldOutcomeReason.SAME, FieldOutcomeReason.VERIFIED}


class Strategy(StrEnum):
    """How many providers are asked for a field."""

    WATERFALL = "waterfall"  # stop once the field has a value of enough confidence
    CONSENSUS = "consensus"  # ask several; agreement raises confidence


class ConflictStatus(StrEnum):
    """Whether a conflict still needs a decision."""

    OPEN = "open"
    RESOLVED = "resolved"
    SUPERSEDED = "superseded"  # the record changed, and there is nothing left to decide


class ConflictReason(StrEnum):
    """Why a person must decide."""

    EXISTING_DIFFERS = "existing_differs"
    PROVIDERS_DISAGREE = "providers_disagree"
    LOW_CONFIDENCE = "low_confidence"
    JOB_CHANGE = "job_change"  # an answer about the person names another employer


class Recommendation(StrEnum):
    """What a person is recommended to choose in a conflict."""

    ACCEPT = "accept"  # the recommended candidate
    KEEP = "keep"  # the current value
    NONE = "none"  # neither is likelier to be right


class FieldUnit(StrEnum):
    """Fields that are one thing: they are decided, asked about and resolved together."""

    ADDRESS = "address"
    EMPLOYMENT = "employment"


class ResolutionAction(StrEnum):
    """What a reviewer chose."""

    ACCEPT_CANDIDATE = "accept_candidate"
    KEEP_CURRENT = "keep_current"
    CUSTOM_VALUE = "custom_value"


class SuppressionKind(StrEnum):
    """What can be put on the suppression list."""

    EMAIL = "email"  # a mailbox
    DOMAIN = "domain"
    PHONE = "phone"


class CreditKind(StrEnum):
    """One line of the ledger. See `models.credit` for what each does to balance and reserved."""

    GRANT = "grant"
    EXPIRY = "expiry"  # what was left of a monthly grant when its month ended
    RESERVATION = "reservation"
    CHARGE = "charge"
    RELEASE = "release"


class BreakerState(StrEnum):
    """CLOSED: the provider is asked. OPEN: it is not. HALF_OPEN: one trial call is under way."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class OpenReason(StrEnum):
    """Why a circuit breaker is open."""

    FAILURES = "failures"
    OUT_OF_CREDITS = "out_of_credits"
    BAD_KEY = "bad_key"
    LOW_MATCH_RATE = "low_match_rate"


SOURCE_CRM = "crm"
SOURCE_REVIEWER = "reviewer"
HUMAN_SOURCES = frozenset({SOURCE_CRM, SOURCE_REVIEWER})  # all others are providers
