"""The GraphQL schema of SalesOS Auto Enrichment, one file or folder a noun."""
