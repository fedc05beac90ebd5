from enum import Enum


class ConflictReason(str, Enum):
    EXISTING_DIFFERS = "EXISTING_DIFFERS"
    PROVIDERS_DISAGREE = "PROVIDERS_DISAGREE"
    LOW_CONFIDENCE = "LOW_CONFIDENCE"
    JOB_CHANGE = "JOB_CHANGE"


class ConflictStatus(str, Enum):
    OPEN = "OPEN"
    RESOLVED = "RESOLVED"
    SUPERSEDED = "SUPERSEDED"


class EntityType(str, Enum):
    LEAD = "LEAD"
    CONTACT = "CONTACT"
    ACCOUNT = "ACCOUNT"


class FieldPolicy(str, Enum):
    FILL_EMPTY = "FILL_EMPTY"
    TRACKED = "TRACKED"
    REVIEW = "REVIEW"
    OVERWRITE = "OVERWRITE"
    NEVER = "NEVER"


class FieldUnit(str, Enum):
    ADDRESS = "ADDRESS"
    EMPLOYMENT = "EMPLOYMENT"


class JobStatus(str, Enum):
    PENDING = "PENDING"
    IN_PROGRESS = "IN_PROGRESS"
    COMPLETED = "COMPLETED"
    PARTIAL = "PARTIAL"
    FAILED = "FAILED"
    SKIPPED = "SKIPPED"
    CANCELLED = "CANCELLED"


class JobTrigger(str, Enum):
    RECORD_CREATED = "RECORD_CREATED"
    RECORD_UPDATED = "RECORD_UPDATED"
    SCHEDULED_REFRESH = "SCHEDULED_REFRESH"
    MANUAL = "MANUAL"
    CREDITS_RESTORED = "CREDITS_RESTORED"


class MaybeCharged(str, Enum):
    HOLD = "HOLD"
    RETRY = "RETRY"


class QuestionOrder(str, Enum):
    PRIORITY = "PRIORITY"
    VALUE = "VALUE"


class Recommendation(str, Enum):
    ACCEPT = "ACCEPT"
    KEEP = "KEEP"
    NONE = "NONE"


class RecordOutcome(str, Enum):
    CREATED = "CREATED"
    CHANGED = "CHANGED"
    UNCHANGED = "UNCHANGED"
    REFUSED = "REFUSED"


class ResolutionAction(str, Enum):
    ACCEPT_CANDIDATE = "ACCEPT_CANDIDATE"
    KEEP_CURRENT = "KEEP_CURRENT"
    CUSTOM_VALUE = "CUSTOM_VALUE"


class RuleAction(str, Enum):
    ACCEPT = "ACCEPT"
    KEEP = "KEEP"


class StepOutcome(str, Enum):
    MATCH = "MATCH"
    NO_MATCH = "NO_MATCH"
    ERROR = "ERROR"
    SKIPPED = "SKIPPED"


class Strategy(str, Enum):
    WATERFALL = "WATERFALL"
    CONSENSUS = "CONSENSUS"
