"""The packed reference data holds what its sources say, and nothing where they say nothing."""

import gzip
import json
from pathlib import Path
from typing import Any

from tools.pack_directory import main

NAMED = {"domain": "acme.com", "name": "Acme"}


def _packed(folder: Path, **facts: Any) -> dict[str, Any]:
    """What is kept of a company of the archive, by field."""
    row = {**NAMED, **facts, "source": "wikipedia_yago3"}
    (folder / "companies.jsonl").write_text("", "utf-8")
    (folder / "companies_b.jsonl").write_text(json.dumps(row) + "\n", "utf-8")
    main(folder, folder)
    header, company = map(
        json.loads, gzip.decompress((folder / "directory_archive.jsonl.gz").read_bytes()).splitlines()
    )
    fields = [field for field, _ in header["layouts"][company["l"]]][1:]
    return dict(zip(fields, company.get("v", ()), strict=True))


def test_an_industry_that_says_nothing_is_left_out(tmp_path: Path) -> None:
    assert _packed(tmp_path, industry="various", founded=1950) == {"foundedYear": 1950}
    assert _packed(tmp_path, industry="Mining") == {"industry": "Mining"}
