"""The command `auto-enrichment`."""

import gc
import sys
from importlib import import_module

INTERRUPTED = 130


def main() -> None:
    """Run the command. Its imports take a second; Ctrl-C during that second ends it without a traceback."""
    try:
        # Modules stay: to look through them while they are imported would find nothing, and take a tenth of the time.
        gc.disable()
        app = import_module("service.cli.index").command_line(sys.argv[1:])
        gc.freeze()
        gc.enable()
        app()
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


if __name__ == "__main__":
    main()
