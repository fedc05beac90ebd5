"""The orders of lists of records."""

from models.db.order import Order


class RecordOrder(Order):
    """In which order records are listed."""

    CREATED_AT_DESC = "created_at_desc"
    CREATED_AT_ASC = "created_at_asc"
