"""The command `auto-enrichment`."""

import sys
from importlib import import_module

INTERRUPTED = 130


def main() -> None:
    """Run the command. Its imports take a second; Ctrl-C during that second ends it without a traceback."""
    try:
        import_module("service.cli.index").app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
