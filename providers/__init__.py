"""The sources of data that SalesOS Auto Enrichment asks, behind the protocol of `providers.api`.

A paid provider is one folder with a `declaration`.
"""
