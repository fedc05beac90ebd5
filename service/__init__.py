"""How SalesOS Auto Enrichment is served: settings, authentication, GraphQL and REST, the command, embedded mode."""
