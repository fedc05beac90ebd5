"""What SalesOS Auto Enrichment stores: one file or folder a noun, with its rows and all its SQL.

Times are UTC, kept as whole microseconds since 1970.
"""
