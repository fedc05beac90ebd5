"""Every log line is a constant text with ids, names and counts: no call hands a log what a record holds."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[3]
FOLDERS = ("models", "enrichment", "providers", "resolvers", "workers", "schema", "service")
LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}
# What each may hold is an id of ours, a name from the code or the configuration, a count, a time or an exception.
TELLS_NOBODY = {
    *(
        "accepted",
        "applied",
        "calls",
        "check",
        "code",
        "concurrency",
        "decisions",
        "dir",
        "endpoint_id",
        "exc_info",
        "failed",
        "field",
        "first",
        "job_id",
    ),
    *(
        "jobs",
        "method",
        "most",
        "ms",
        "organization",
        "organizations",
        "outcome",
        "operation_id",
        "package",
        "part",
        "path",
        "plugin",
        "program",
        "provider",
    ),
    *(
        "attempts",
        "reason",
        "record_id",
        "returned",
        "role",
        "seconds",
        "state",
        "status",
        "task",
        "threshold",
        "used",
        "where",
    ),
}


def _calls() -> Iterator[tuple[str, ast.Call]]:
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and _is_log_call(node.func):
                    yield f"{path.relative_to(ROOT)}:{node.lineno}", node


def _is_log_call(function: ast.expr) -> bool:
    if isinstance(function, ast.Call):  # getattr(_log, level)(…)
        return isinstance(function.func, ast.Name) and function.func.id == "getattr" and "_log" in ast.dump(function)
    return (
        isinstance(function, ast.Attribute)
        and function.attr in LEVELS
        and isinstance(function.value, ast.Name)
        and function.value.id in {"_log", "log", "logger"}
    )


def test_no_log_call_names_anything_of_a_record() -> None:
    found = list(_calls())
    assert len(found) > 30
    wrong: list[str] = []
    for index, call in found:
        wrong += [f"{index}: its text is no constant" for text in call.args if not isinstance(text, ast.Constant)]
        for keyword in call.keywords:
            name = keyword.arg
            if name == "error":
                # The text of an exception may repeat a value; its type does not.
                if ast.unparse(keyword.value).endswith((".__name__", ".strerror")):
                    continue
            elif name is None or name in TELLS_NOBODY:
                continue
            wrong.append(f"{index}: {name} = {ast.unparse(keyword.value)}")
    assert wrong == []
