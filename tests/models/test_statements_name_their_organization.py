"""No statement reaches into another tenant's rows: it names the organization, or takes ids that were read with it."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
_STATEMENT = re.compile(r"\s*(SELECT|UPDATE|DELETE|INSERT|WITH)\s")
_TABLE = re.compile(r"\b(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_{}]+)")
_NAMED = re.compile(
    r"organization_id (= (\?|v\.)|IN \()"  # bound to what the caller hands in
    r"|INTO \w+ \([^)]*\borganization_id\b"
    r"|\borganization\b.* WHERE (\w+\.)?id (= \?|IN \()"
)
_IDS = re.compile(r"(^|_)ids?$")
_NOT_OF_ROWS = {"organization_id", "organization_ids", "provider_id"}
_OF_NO_TENANT = {
    "schema_migration",
    "schema_migration_progress",
    "installation_choice",
    "installation_secret",
    "json_each",
}
_OF_NO_TENANT |= {"information_schema", "pg_attribute", "pragma_table_info", "sqlite_master"}
_OF_NO_TENANT |= {"clock_timestamp"}
_OF_NO_TENANT |= {"record_search"}  # what texts hold; whose they are, the records say
_OF_NO_TENANT |= {"pg_extension", "pg_stat_activity"}
_OF_NO_TENANT |= {"pg_class", "pg_constraint", "pg_index", "pg_inherits", "pg_proc", "pg_trigger"}
_OF_NO_TENANT |= {"pg_auth_members", "pg_policy", "pg_roles"}

_SWEEP = "the service's own work on every organization; what it returns names the organization or its jobs"
EXCEPTIONS = {
    "models.installation_choice._has_tenants": "whether there are any, and nothing of them",
    "models.answer.cache.delete_orphans": _SWEEP,
    "models.answer.deliveries.jobs_to_wake": _SWEEP,
    "models.answer.deliveries.unread_deliveries": _SWEEP,
    "models.answer.pending.abandoned_answers": _SWEEP,
    "models.audit.audits_unproved": _SWEEP,
    "models.credit.checkpoint.organizations_unproved": _SWEEP,
    "models.credit.intent.organizations_with_strays": _SWEEP,
    "models.credit.intent.unseen_ends": _SWEEP,
    "models.db.distribute._whole_tables": "whether a table is empty, before there are organizations",
    "models.db.health.needs_room": "numbers, and nothing of a table",
    "models.job.leases.anything_to_rescue": _SWEEP,
    "models.job.due.organizations_with_due_jobs": _SWEEP,
    "models.job.queries.organizations_short_of_credits": _SWEEP,
    "models.job.transitions.requeue_lost": _SWEEP,
    "models.operation.take_up": _SWEEP,
    "models.organization.organization_ids": _SWEEP,
    "models.refresh.state.organizations_to_refresh": _SWEEP,
    "models.provider_state.asked_again_since": _SWEEP,
    "models.provider_state.out_of_credits_until": _SWEEP,
    "models.provider_state.close_breakers_of_refused_key": "a key of the installation serves every organization",
    "models.job.queries.count_unfinished_jobs": "a metric of the whole service",
    "models.job.queries.longest_waits": "a metric of the whole service",
    "models.provider_state.count_open_breakers": "a metric of the whole service",
    "models.db.copying.add_encoded": "the rows name their organization: its column may not be NULL",
    "models.db.rows.insert": "the rows name their organization: its column may not be NULL",
    "models.event.write.add_events": "the rows name their organization: its column may not be NULL",
    "models.db.selected._as_json": "rows that belong to one of a statement that names its organization",
    "models.db.printed.printed_list": "rows that belong to one of a statement that names its organization",
    "models.webhook.queue.anything_active": _SWEEP,
    "models.webhook.queue.waiting_endpoints": _SWEEP,
    "models.undo.records_holding": "EnrichedValues.condition names the organization",
}


class Statement(NamedTuple):
    """A statement as its function writes it, with what it is put together from; `{}` is what only runs can tell."""

    function: str
    parameters: tuple[str, ...]
    text: str

    def is_stray(self) -> bool:
        return self.is_of_a_tenant() and not self.names_its_organization() and not self.takes_ids()

    def is_of_a_tenant(self) -> bool:
        return bool(set(_TABLE.findall(self.text)) - _OF_NO_TENANT)

    def names_its_organization(self) -> bool:
        return bool(_NAMED.search(self.text))

    def takes_ids(self) -> bool:
        """Ids as a parameter, or rows with ids that it is joined to."""
        by_parameter = any(_IDS.search(name) for name in self.parameters if name not in _NOT_OF_ROWS)
        return by_parameter or bool(re.search(r"\b\w*id = v\.\w*id\b", self.text))


def modules() -> list[str]:
    paths = sorted(path.relative_to(ROOT) for path in (ROOT / "models").rglob("*.py"))
    return [".".join(path.with_suffix("").parts) for path in paths if path.parts[:2] != ("models", "migrations")]


def statements_of(name: str) -> Iterator[Statement]:
    module = importlib.import_module(name)
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            every = (*function.args.posonlyargs, *function.args.args, *function.args.kwonlyargs)
            parameters = tuple(argument.arg for argument in every)
            for text in _texts(function, module):
                if _STATEMENT.match(text):
                    yield Statement(f"{name}.{function.name}", parameters, " ".join(text.split()))


def _texts(function: ast.AST, module: ModuleType) -> Iterator[str]:
    """The outermost strings of a function, its documentation apart."""
    for node in ast.iter_child_nodes(function):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        if isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str)):
            yield _text(node, module)
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield from _texts(node, module)


def _text(node: ast.AST, module: ModuleType) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, module) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _value(node.value, module)
    return "{}"


def _value(node: ast.expr, module: ModuleType) -> str:
    """What a name or a call puts into a statement, where the module alone says it."""
    if isinstance(node, ast.Name):
        found = getattr(module, node.id, None)
        return found if isinstance(found, str) else "{}"
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        called: Any = getattr(module, node.func.id, None)
        if isinstance(called, FunctionType) and called.__annotations__.get("return") is str:
            return _body(called)
    return "{}"


def _body(called: FunctionType) -> str:
    """All strings that a function returning a part of a statement may put into it."""
    if called in _BODIES:
        return _BODIES[called]
    _BODIES[called] = "{}"  # what it puts into itself, where it calls itself
    module = importlib.import_module(called.__module__)
    tree = ast.parse(Path(str(module.__file__)).read_text("utf-8"))
    function = next(
        node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == called.__name__
    )
    _BODIES[called] = " ".join(_texts(function, module))
    return _BODIES[called]


_BODIES: dict[FunctionType, str] = {}


def strays() -> list[Statement]:
    return [statement for name in modules() for statement in statements_of(name) if statement.is_stray()]


def test_every_statement_names_its_organization_or_takes_ids_that_were_read_with_it() -> None:
    assert [stray for stray in strays() if stray.function not in EXCEPTIONS] == []


def test_every_exception_is_one() -> None:
    assert EXCEPTIONS.keys() - {stray.function for stray in strays()} == set()


@pytest.mark.parametrize(
    ("parameters", "text", "is_stray"),
    [
        ((), "UPDATE job SET progress = ? WHERE status = ?", True),
        (("organization_id",), "SELECT id FROM job WHERE status = ?", True),
        ((), "SELECT a.id FROM a JOIN b ON b.organization_id = a.organization_id", True),
        ((), "SELECT id FROM {} WHERE at < ?", True),
        (("organization_id",), "SELECT id FROM job WHERE organization_id = ?", False),
        (("organization_id",), "INSERT INTO audit_head (organization_id) VALUES (?)", False),
        (("organization_id",), "SELECT config FROM organization WHERE id = ?", False),
        (("job_ids",), "DELETE FROM step WHERE job_id IN ({})", False),
        (("rows",), "UPDATE job SET progress = v.progress FROM {} WHERE job.id = v.id", False),
        ((), "SELECT name FROM schema_migration", False),
    ],
)
def test_what_counts_as_reaching_into_other_tenants_rows(
    parameters: tuple[str, ...], text: str, is_stray: bool
) -> None:
    assert Statement("", parameters, text).is_stray() is is_stray
