"""The orders of lists of records."""

from models.db.order import Order


class RecordOrder(Order):
    """In which order records are listed."""

    CREATED_AT_DESC = "created_at_desc"
    CREATED_AT_ASC = "created_at_asc"
    LAST_ENRICHED_AT_DESC = "last_enriched_at_desc"
    LAST_ENRICHED_AT_ASC = "last_enriched_at_asc"
