"""The orders of lists of conflicts."""

from models.db.order import Order


class ConflictOrder(Order):
    """In which order conflicts are listed."""

    CREATED_AT_DESC = "created_at_desc"
    CREATED_AT_ASC = "created_at_asc"
