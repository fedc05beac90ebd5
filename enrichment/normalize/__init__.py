"""How raw CRM and provider values become canonical values, one module a kind of value."""
