"""Sources of data, one module each, behind the protocol of `providers.api`."""
