"""What arq runs: enrichment jobs and the sweep. The database says what there is to do; the queue only wakes."""
