"""Records and the history of their values: the tables, their row classes and every statement on them."""

from models.record.table import FieldValue, Record

__all__ = ["FieldValue", "Record"]
