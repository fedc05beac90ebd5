"""The command `auto-enrichment`."""

import sys
from importlib import import_module

INTERRUPTED = 130


def main() -> None:
    """Run the command. What it needs takes a second to load, and Ctrl-C in that second ends it quietly."""
    try:
        import_module("service.cli.index").app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
