"""Jobs: their rows, their state machine, and every statement on them."""

from models.job.row import Job, Step, assemble

__all__ = ["Job", "Step", "assemble"]
