"""What a caller may ask, one module a noun. Each operation checks the role and knows no transport."""
