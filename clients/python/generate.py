"""Makes the typed part of the client of `clients/schema.graphql` and `clients/operations.graphql`: `make client`.

Two packages, since the generator writes asynchronous and synchronous calls into a package each.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
SCHEMA, DOCUMENTS = HERE.parent / "schema.graphql", HERE.parent / "operations.graphql"
_SETTINGS = """
[tool.ariadne-codegen]
schema_path = "{schema}"
queries_path = "{queries}"
target_package_path = "{target}"
target_package_name = "{package}"
client_name = "{client}"
async_client = {is_async}
include_comments = "none"
include_all_inputs = false
include_all_enums = false
convert_to_snake_case = true

[tool.ariadne-codegen.scalars.DateTime]
type = "datetime.datetime"

[tool.ariadne-codegen.scalars.Date]
type = "datetime.date"
"""


def generate(package: str, client: str, *, is_async: bool, target: Path = HERE / "auto_enrichment_client") -> None:
    """Write one package. The synchronous one has no subscription, for which its generator knows no transport."""
    documents = DOCUMENTS.read_text("utf-8")
    with tempfile.TemporaryDirectory() as folder:
        queries, settings = Path(folder, "operations.graphql"), Path(folder, "settings.toml")
        queries.write_text(documents if is_async else documents.partition("subscription Events")[0], "utf-8")
        settings.write_text(
            _SETTINGS.format(
                schema=SCHEMA,
                queries=queries,
                target=target,
                package=package,
                client=client,
                is_async=str(is_async).lower(),
            ),
            "utf-8",
        )
        command = [str(Path(sys.executable).parent / "ariadne-codegen"), "--config", str(settings)]
        subprocess.run(command, check=True)  # noqa: S603 -- the generator of this environment


if __name__ == "__main__":
    generate("asynchronous", "AsyncClient", is_async=True)
    generate("synchronous", "Client", is_async=False)
