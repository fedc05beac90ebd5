"""The project's own fault harness: the service under load while its processes and stores are hurt (`make faults`)."""
