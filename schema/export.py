"""Writes `schema/schema.graphql`, the schema as clients see it: `python -m schema.export`."""

from pathlib import Path

from schema.root import ApiSchema

PATH = Path(__file__).with_name("schema.graphql")


def printed() -> str:
    return ApiSchema().as_str().rstrip() + "\n"


if __name__ == "__main__":
    PATH.write_text(printed(), encoding="utf-8")
