"""What the command `auto-enrichment` does, one module a command."""
