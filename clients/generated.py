"""What the clients' generated code is made of, and whether it still is what the generators wrote.

`schema.graphql` beside this file is the part of the service's schema that `operations.graphql` uses. Both clients are
generated of these two files, so that what the service adds elsewhere changes no client; `generated.json` has the
digests of what went in and what came out. `make client` and `make client-ts` write all of it.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from graphql import (
    FieldNode,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLType,
    Node,
    ObjectTypeDefinitionNode,
    TypeDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    VariableDefinitionNode,
    Visitor,
    build_schema,
    get_named_type,
    is_leaf_type,
    is_specified_scalar_type,
    parse,
    print_ast,
    type_from_ast,
    visit,
)

HERE = Path(__file__).parent
SERVICE_SCHEMA = HERE.parent / "schema" / "schema.graphql"
SCHEMA, DOCUMENTS, DIGESTS = HERE / "schema.graphql", HERE / "operations.graphql", HERE / "generated.json"
CODE = {
    "python": (HERE / "python" / "auto_enrichment_client", ("asynchronous/*.py", "synchronous/*.py")),
    "typescript": (HERE / "typescript" / "src", ("generated.ts",)),
}


class _Used(Visitor):
    """Fields by the name of their type, arguments by the names of both, and whole types that documents use."""

    def __init__(self, schema: GraphQLSchema, info: TypeInfo) -> None:
        super().__init__()
        self._schema, self._info = schema, info
        self.fields: set[tuple[str, str]] = set()
        self.arguments: set[tuple[str, str, str]] = set()
        self.types: set[str] = set()

    def enter_field(self, node: FieldNode, *_: object) -> None:
        parent = self._info.get_parent_type()
        assert parent is not None
        self.fields.add((parent.name, node.name.value))
        self.arguments.update((parent.name, node.name.value, argument.name.value) for argument in node.arguments or ())
        self.add(self._info.get_type())

    def enter_variable_definition(self, node: VariableDefinitionNode, *_: object) -> None:
        self.add(type_from_ast(self._schema, node.type))

    def add(self, used: GraphQLType | None) -> None:
        """A type by its name; one whose values are sent with all that it holds."""
        named = get_named_type(used)
        if named is None or is_specified_scalar_type(named) or named.name in self.types:
            return
        if is_leaf_type(named):
            self.types.add(named.name)
        elif isinstance(named, GraphQLInputObjectType):
            self.types.add(named.name)
            for field in named.fields.values():
                self.add(field.type)


def pruned(schema_text: str, documents_text: str) -> str:
    """The part of a schema that documents use, printed."""
    schema, documents = build_schema(schema_text), parse(documents_text)
    info = TypeInfo(schema)
    used = _Used(schema, info)
    visit(documents, TypeInfoVisitor(info, used))
    kept = (_kept(node, used) for node in parse(schema_text, no_location=True).definitions)
    return "\n\n".join(print_ast(node) for node in kept if node is not None) + "\n"


def _kept(node: Node, used: _Used) -> Node | None:
    """What is used of a definition; None for one of which nothing is."""
    if not isinstance(node, TypeDefinitionNode):
        return None
    if node.name.value in used.types:
        return node
    if not isinstance(node, ObjectTypeDefinitionNode):
        return None
    name = node.name.value
    fields = tuple(
        replace(
            field,
            arguments=tuple(
                one for one in field.arguments or () if (name, field.name.value, one.name.value) in used.arguments
            ),
        )
        for field in node.fields or ()
        if (name, field.name.value) in used.fields
    )
    return replace(node, fields=fields, interfaces=()) if fields else None


def digest(paths: Iterable[Path]) -> str:
    """SHA-256 of the texts of files, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(paths):
        whole.update(f"{path.name}\n".encode() + path.read_bytes())
    return whole.hexdigest()


def digests_of(client: str) -> dict[str, str]:
    """Of what a client is generated, and of its generated code."""
    folder, patterns = CODE[client]
    return {"from": digest([SCHEMA, DOCUMENTS]), "code": digest(path for one in patterns for path in folder.glob(one))}


def prune() -> None:
    """Write the part of the service's schema that the documents use."""
    SCHEMA.write_text(pruned(SERVICE_SCHEMA.read_text("utf-8"), DOCUMENTS.read_text("utf-8")), "utf-8")


def stamp(client: str) -> None:
    """Note the digests of a client that has just been generated."""
    noted = json.loads(DIGESTS.read_text("utf-8")) if DIGESTS.exists() else {}
    DIGESTS.write_text(json.dumps(noted | {client: digests_of(client)}, indent=2, sort_keys=True) + "\n", "utf-8")


if __name__ == "__main__":
    prune() if sys.argv[1] == "prune" else stamp(sys.argv[2])
