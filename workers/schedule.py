"""When the worker's upkeep runs (UTC). `unique` makes one worker of all run it.

What runs more often than each minute, rescue, resume and the restart of what was refused, does so by itself
(`workers.repeating`): a run by arq takes some 25 commands of Redis.
"""

from arq import cron
from arq.cron import CronJob

from workers.upkeep.end_calls import end_strays
from workers.upkeep.expire_pending import expire_pending
from workers.upkeep.merge_conflicts import merge_conflicts
from workers.upkeep.merge_counts import merge_daily_counts
from workers.upkeep.new_day import new_day
from workers.upkeep.prove import prove_audit_logs, prove_ledgers
from workers.upkeep.prune import prune
from workers.upkeep.prune_log import prune_log
from workers.upkeep.refresh import refresh

SCHEDULE: list[CronJob] = [
    cron(refresh, second=7, timeout=50, unique=True),
    cron(expire_pending, second=37, timeout=50, unique=True),
    cron(end_strays, second=27, timeout=50, unique=True),
    cron(merge_daily_counts, second={17, 57}, timeout=50, unique=True),
    cron(merge_conflicts, second=47, timeout=50, unique=True),
    cron(prove_ledgers, minute=set(range(3, 60, 5)), second=31, timeout=280, unique=True),
    cron(prove_audit_logs, minute=set(range(4, 60, 5)), second=31, timeout=280, unique=True),
    cron(prune, minute=41, second=11, timeout=600, unique=True),
    cron(prune_log, minute=51, second=11, timeout=600, unique=True),
    cron(new_day, minute=set(range(0, 60, 5)), second=23, timeout=50, unique=True),
]
