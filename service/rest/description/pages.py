"""The readable pages of the API: one page of HTML, made from the same description as `openapi.json`.

It loads nothing but its own style sheet, and needs no script.
"""

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from service.http.problem import KINDS
from service.rest.description.json_schema import Json

_FILES = Path(__file__).parents[2] / "static" / "docs"
_BASE = "https://base.invalid"  # stands for the address of this service until a page is asked for
_CODE = re.compile(r"`([^`]+)`")


def render(description: Json) -> str:
    """The page, but for the address of the service; see `page`."""
    template = Template((_FILES / "page.html").read_text("utf-8"))
    return template.substitute(
        title=escape(description["info"]["title"]),
        version=escape(description["info"]["version"]),
        introduction=_text(description["info"]["description"]),
        navigation=_navigation(description),
        errors=_errors(),
        operations="".join(_section(tag, description) for tag in description["tags"]),
        schemas="".join(_schema(name, it) for name, it in description["components"]["schemas"].items()),
        base=_BASE,
    )


def page(rendered: str, base: str) -> str:
    """A rendered page with the address that it was asked for at, for its examples."""
    return rendered.replace(_BASE, escape(base.rstrip("/")))


def _text(plain: str) -> str:
    """Escaped, with `code` as code."""
    return _CODE.sub(r"<code>\1</code>", escape(plain))


def _code(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _json(value: Any) -> str:
    return f"<pre><code>{escape(json.dumps(value, indent=2, ensure_ascii=False))}</code></pre>"


def _table(headings: Iterable[str], rows: Iterable[tuple[str, ...]]) -> str:
    head = "".join(f"<th scope='col'>{heading}</th>" for heading in headings)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<div class='scroll'><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"


def _operations(description: Json, tag: str) -> list[tuple[str, str, Json]]:
    return [
        (method, path, operation)
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
        if tag in operation["tags"]
    ]


def _navigation(description: Json) -> str:
    parts = []
    for tag in description["tags"]:
        links = "".join(
            f"<li><a href='#{operation['operationId']}'>{_badge(method)} {escape(_short(path))}</a></li>"
            for method, path, operation in _operations(description, tag["name"])
        )
        parts.append(f"<li><a href='#{tag['name']}'>{escape(tag['name'])}</a><ul>{links}</ul></li>")
    return "".join(parts)


def _badge(method: str) -> str:
    return f"<span class='method {method}'>{method.upper()}</span>"


def _short(path: str) -> str:
    return path.removeprefix("/v1/auto-enrichment")


def _section(tag: Json, description: Json) -> str:
    articles = "".join(_article(*found) for found in _operations(description, tag["name"]))
    return (
        f"<section id='{tag['name']}'><h2>{escape(tag['name'])}</h2>"
        f"<p>{_text(tag['description'])}</p>{articles}</section>"
    )


def _article(method: str, path: str, operation: Json) -> str:
    paragraphs = "".join(f"<p>{_text(part)}</p>" for part in operation["description"].split("\n\n"))
    parts = [
        f"<article id='{operation['operationId']}'><h3>{escape(operation['summary'])}</h3>",
        f"<p class='route'>{_badge(method)} <code>{escape(path)}</code></p>{paragraphs}",
        f"<pre class='curl'><code>{escape(_curl(method, path, operation))}</code></pre>",
        _parameters(operation.get("parameters", [])),
        _body(operation.get("requestBody")),
        *(_response(status, response) for status, response in operation["responses"].items() if status < "400"),
        _refusals(operation["responses"]),
        "</article>",
    ]
    return "".join(parts)


def _parameters(parameters: list[Json]) -> str:
    if not parameters:
        return ""
    rows = (
        (
            f"{_code(parameter['name'])}<br><small>{parameter['in']}"
            f"{', required' if parameter['required'] else ''}</small>",
            _type(parameter["schema"]),
            _text(parameter["description"]),
        )
        for parameter in parameters
    )
    return "<h4>Parameters</h4>" + _table(("Name", "Type", "Meaning"), rows)


def _body(body: Json | None) -> str:
    if body is None:
        return ""
    content = body["content"]["application/json"]
    examples = "".join(
        f"<details{' open' if index == 0 else ''}><summary>Example: {escape(name)}</summary>"
        f"{_json(example['value'])}</details>"
        for index, (name, example) in enumerate(content["examples"].items())
    )
    needed = "required" if body["required"] else "optional"
    return f"<h4>Body <small>{needed}, {_type(content['schema'])}</small></h4>{examples}"


def _response(status: str, response: Json) -> str:
    headers = ", ".join(_code(name) for name in response["headers"])
    if "content" not in response:
        return f"<h4>Answer <small>{status}</small></h4><p>{_text(response['description'])} Headers: {headers}.</p>"
    content = response["content"]["application/json"]
    return (
        f"<h4>Answer <small>{status}, {_type(content['schema'])}</small></h4>"
        f"<p>{_text(response['description'])}. Headers: {headers}.</p>"
        f"<details><summary>Example</summary>{_json(content['example'])}</details>"
    )


def _refusals(responses: Mapping[str, Json]) -> str:
    rows = [
        (status, f"<a href='#{code}'>{_code(code)}</a>", _text(KINDS[code].when))
        for status, response in responses.items()
        if status >= "400"
        for code in response["content"]["application/problem+json"]["examples"]
    ]
    table = _table(("Status", "Code", "When"), rows)
    return f"<details class='refusals'><summary>Refusals</summary>{table}</details>"


def _curl(method: str, path: str, operation: Json) -> str:
    parameters = operation.get("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "path":
            path = path.replace(f"{{{parameter['name']}}}", parameter["example"])
    query = "&".join(
        f"{parameter['name']}={parameter['example']}"
        for parameter in parameters
        if parameter["in"] == "query" and "example" in parameter
    )
    lines = [f'curl -X {method.upper()} "{_BASE}{path}{"?" + query if query else ""}"']
    lines.append('-H "Authorization: Bearer $TOKEN"')
    body = operation.get("requestBody")
    if body is not None:
        example = next(iter(body["content"]["application/json"]["examples"].values()))["value"]
        quoted = json.dumps(example).replace("'", "'\\''")
        lines += ['-H "Content-Type: application/json"', f"-d '{quoted}'"]
    return " \\\n  ".join(lines)


def _errors() -> str:
    rows = (
        (str(kind.status), f"<span id='{code}'>{_code(code)}</span>", _text(kind.when))
        for code, kind in sorted(KINDS.items(), key=lambda item: item[1].status)
    )
    return _table(("Status", "Code", "When"), rows)


def _schema(name: str, schema: Json) -> str:
    parts = [f"<article id='schema-{name}'><h3>{name}</h3><p>{_text(schema.get('description', ''))}</p>"]
    if "properties" in schema:
        needed = schema.get("required", [])
        optional = len(needed) < len(schema["properties"])
        rows = (
            (
                _code(key) + ("<br><small>required</small>" if optional and key in needed else ""),
                _type(it),
                _text(it.get("description", "")),
            )
            for key, it in schema["properties"].items()
        )
        parts.append(_table(("Key", "Type", "Meaning"), rows))
    else:
        parts.append(f"<p>{_type(schema)}</p>")
    return "".join([*parts, "</article>"])


def _type(schema: Json) -> str:
    """The type of a value in a few words."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"<a href='#schema-{name}'>{name}</a>"
    if "anyOf" in schema:
        return " or ".join(_type(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " · ".join(_code(value) for value in schema["enum"])
    kinds = schema.get("type", "any JSON value")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return " or ".join(_named(kind, schema) for kind in kinds) + _bounds(schema)


def _named(kind: str, schema: Json) -> str:
    if kind == "array":
        return f"list of {_type(schema['items'])}"
    if kind == "object":
        return _object(schema)
    return escape(schema["format"]) if kind == "string" and "format" in schema else escape(kind)


def _object(schema: Json) -> str:
    if "properties" in schema:
        keys = "".join(f"<li>{_code(key)}: {_type(it)}</li>" for key, it in schema["properties"].items())
        return f"object<ul class='keys'>{keys}</ul>"
    values = schema.get("additionalProperties")
    return f"object of {_type(values)} by name" if isinstance(values, dict) else "object"


def _bounds(schema: Json) -> str:
    lowest, highest = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    if highest is None:
        return ""
    return f", {lowest} to {highest:,}".replace(",", " ", 0)
