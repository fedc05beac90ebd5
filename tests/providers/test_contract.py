"""Every adapter against the answers that it ships: what it sends, and what it reads from them.

An adapter that a folder `providers/<id>` declares is found by itself, with all cases of its folder `recorded`.
"""

import json
from pathlib import Path

import pytest

from providers.contract import ANSWER, EXPECTATION, REQUEST, Case, cases_of, outcome_of
from providers.declaration import AdapterContext, ProviderDeclaration
from providers.described.provider import load_described
from providers.http.adapter import Adapter
from providers.registry import declared_providers

PROVIDERS = Path(__file__).parents[2] / "providers"
EXAMPLES = PROVIDERS.parent / "docs/examples"
DECLARED = {declaration.info.id: declaration for declaration in declared_providers()}
CASES = [(provider_id, case) for provider_id in DECLARED for case in cases_of(PROVIDERS / provider_id)]
LEAST = {"match", "no match", "error"}


@pytest.mark.parametrize(("provider_id", "case"), CASES, ids=[f"{provider}-{case.name}" for provider, case in CASES])
async def test_an_adapter_reads_its_recorded_answers(provider_id: str, case: Case) -> None:
    await check(made(DECLARED[provider_id], case), case)


@pytest.mark.parametrize("case", cases_of(EXAMPLES), ids=lambda case: case.name)
async def test_a_described_provider_reads_its_recorded_answers(case: Case) -> None:
    (provider,) = load_described(EXAMPLES / "described_provider.json")
    await check(provider, case)


@pytest.mark.parametrize("provider_id", DECLARED)
def test_each_adapter_ships_a_match_a_miss_and_a_refusal(provider_id: str) -> None:
    shipped = {case.expectation["outcome"] for case in cases_of(PROVIDERS / provider_id)}
    assert shipped >= LEAST


def test_a_case_that_lacks_a_file_is_named(tmp_path: Path) -> None:
    case = tmp_path / "recorded/person_found"
    case.mkdir(parents=True)
    (case / REQUEST).write_text(json.dumps({"question": {"entityType": "lead", "fields": {}}}))
    with pytest.raises(ValueError, match=f"person_found: lacks {ANSWER}, {EXPECTATION}"):
        cases_of(tmp_path)


def made(declaration: ProviderDeclaration, case: Case) -> Adapter:
    """The adapter with the settings of the case."""
    return declaration.make(AdapterContext(case.request.get("settings", {})))


async def check(adapter: Adapter, case: Case) -> None:
    """The outcome and the requests are those of the files; a wait that no file names may be any."""
    outcome, sent = await outcome_of(adapter, case)
    named = {name: value for name, value in outcome.items() if name in case.expectation or name != "retryAfterSeconds"}
    assert named == case.expectation
    assert sent == case.request["sent"]
