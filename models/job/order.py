"""The orders of lists of jobs."""

from models.db.order import Order


class JobOrder(Order):
    """In which order jobs are listed."""

    CREATED_AT_DESC = "created_at_desc"
    CREATED_AT_ASC = "created_at_asc"
    FINISHED_AT_DESC = "finished_at_desc"
    FINISHED_AT_ASC = "finished_at_asc"
