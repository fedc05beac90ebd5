"""What the workers of SalesOS Auto Enrichment run: jobs, lookups and upkeep.

The database says what there is to do; the queue only wakes a worker.
"""
