"""What a transition tells of the jobs that it moved."""

from enrichment.enums import EntityType, JobStatus
from models.db.rows import query_row


@query_row
class MovedJob:
    """A job and the state that it was brought to."""

    id: str
    organization_id: str
    record_id: str
    entity_type: EntityType
    status: JobStatus
