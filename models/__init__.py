"""What is stored: one module a noun. Times are UTC, kept as whole microseconds since 1970."""
