"""Builds the distribution: plain, or with AUTO_ENRICHMENT_COMPILE=1 and a C compiler with its hot part compiled.

mypyc compiles modules of the package `enrichment` as they are, beside their sources, which run as well. What is built
notes of which sources it was made (`enrichment/compiled.json`), so that a source that was changed since is noticed.
"""

import json
import os
from hashlib import sha256
from pathlib import Path

from setuptools import Extension, setup

ROOT = Path(__file__).parent
NOTE = ROOT / "enrichment" / "compiled.json"

# Where a record's CPU goes in the package, measured with `benchmarks.pipeline`. The rest stays plain, because it is no
# part of what a record costs (explain, undo, erasure, replay of the past), or gains nothing: `normalize` is regular
# expressions and caches, `config` Pydantic, and both of these are compiled already.
COMPILED = (
    "enrichment/catalogue.py",
    "enrichment/decide",
    "enrichment/learn/beta.py",
    "enrichment/learn/freshness.py",
    "enrichment/learn/gamma.py",
    "enrichment/learn/trust.py",
    "enrichment/normalize/earlier.py",
    "enrichment/normalize/field_kind.py",
    "enrichment/normalize/text",
    "enrichment/recommend",
    "enrichment/record_state.py",
    "enrichment/waterfall",
    "enrichment/words.py",
)
# Modules among these that stay as they are.
PLAIN = {
    "enrichment/waterfall/reply.py": "workers make a class of their own of it, which a compiled class does not allow",
}


def sources() -> list[str]:
    """The modules to compile, as paths below the root. A package's `__init__.py` holds nothing."""
    found: list[Path] = []
    for given in COMPILED:
        found += [ROOT / given] if given.endswith(".py") else (ROOT / given).glob("*.py")
    names = sorted(path.relative_to(ROOT).as_posix() for path in found if path.name != "__init__.py")
    return [name for name in names if name not in PLAIN]


def compiled() -> list[Extension]:
    """The extensions; their note is written."""
    from mypyc.build import mypycify  # noqa: PLC0415 -- a plain build needs no mypyc

    paths = sources()
    extensions: list[Extension] = mypycify(paths, group_name="auto_enrichment", opt_level="1", debug_level="0")
    digests = {path: sha256((ROOT / path).read_bytes()).hexdigest() for path in paths}
    NOTE.write_text(json.dumps(digests, indent=1))
    return extensions


os.chdir(ROOT)
setup(ext_modules=compiled() if os.environ.get("AUTO_ENRICHMENT_COMPILE") == "1" else [])
