"""Of a path that no route has nothing is logged that a caller may have put in it."""

import pytest
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from service.logs.paths import logged_path


def unknown(path: str) -> Scope:
    return {"type": "http", "path": path, "raw_path": path.encode()}


@pytest.mark.parametrize(
    ("path", "logged"),
    [
        ("/", "/"),
        ("/graphql", "/graphql"),
        ("/quetzal@acme.com", "/..."),
        ("/quetzal@acme.com/more", "/..."),
        ("/quetzal/last/name", "/..."),
        ("/v1/quetzal@acme.com", "/v1/..."),
        ("/v1quetzal", "/..."),
        ("/v1/auto-enrichment/quetzal", "/v1/auto-enrichment/..."),
        ("/v1/auto-enrichment/record/lead/quetzal", "/v1/auto-enrichment/..."),
        ("/graphql/quetzal", "/graphql/..."),
        ("//quetzal", "/..."),
        ("/%71uetzal", "/..."),
    ],
)
def test_of_an_unknown_path_only_what_routes_begin_with_is_logged(path: str, logged: str) -> None:
    assert logged_path(unknown(path)) == logged


@pytest.mark.parametrize(
    ("path", "logged"),
    [("/static/quetzal@acme.com", "/static/..."), ("/static", "/static"), ("/static/", "/static/")],
)
def test_what_is_below_a_folder_of_files_is_not_logged(path: str, logged: str) -> None:
    scope = {**unknown(path), "route": Mount("/static", StaticFiles(packages=[]), name="static"), "path_params": {}}
    assert logged_path(scope) == logged
