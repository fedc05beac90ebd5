"""The scheduled refresh: which records are due, the plan of whom to refresh next, and the state of a day."""
