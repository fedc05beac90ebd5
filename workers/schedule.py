"""When the worker's upkeep runs (UTC). `unique` makes one worker of all run it. Rescue runs beside it, by itself."""

from arq import cron
from arq.cron import CronJob

from workers.upkeep.expire_pending import expire_pending
from workers.upkeep.merge_conflicts import merge_conflicts
from workers.upkeep.merge_counts import merge_daily_counts
from workers.upkeep.new_day import new_day
from workers.upkeep.prune import prune
from workers.upkeep.refresh import refresh
from workers.upkeep.resume import resume

SCHEDULE: list[CronJob] = [
    cron(resume, second=set(range(2, 60, 5)), timeout=50, unique=True),
    cron(refresh, second=7, timeout=50, unique=True),
    cron(expire_pending, second=37, timeout=50, unique=True),
    cron(merge_daily_counts, second={17, 57}, timeout=50, unique=True),
    cron(merge_conflicts, second=47, timeout=50, unique=True),
    cron(prune, minute=41, second=11, timeout=600, unique=True),
    cron(new_day, minute=set(range(0, 60, 5)), second=23, timeout=50, unique=True),
]
