"""Writes what a release promises its clients, which later versions are compared with.

`python -m tools.release_interfaces VERSION` on the commit that is released, before its tag: the schema of GraphQL and
the description of REST, to `tests/support/released`.
"""

import json
import sys
from pathlib import Path

from schema.export import printed
from service.rest.description.openapi import describe
from service.rest.routes import OPERATIONS

FOLDER = Path(__file__).parents[1] / "tests" / "support" / "released"


def write(version: str) -> None:
    """Write both for this version, over what was written for it before."""
    FOLDER.joinpath(f"{version}.graphql").write_text(printed(), "utf-8")
    described = json.dumps(describe(OPERATIONS, version), separators=(",", ":"))
    FOLDER.joinpath(f"{version}.openapi.json").write_text(described + "\n", "utf-8")


if __name__ == "__main__":
    write(sys.argv[1])
