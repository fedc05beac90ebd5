"""The decisions of SalesOS Auto Enrichment: what may be asked, believed, written and charged.

Pure: no database, network or clock.
"""
