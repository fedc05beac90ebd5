"""What a caller of SalesOS Auto Enrichment may ask, one file or folder a noun.

Each operation checks the role and knows no transport.
"""
