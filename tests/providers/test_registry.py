"""The registry: which providers there are, what they say of themselves, and what an operator may set."""

from pathlib import Path

import pytest

from enrichment.catalogue import fields_of
from enrichment.enums import EntityType
from providers.api import Answer, Question
from providers.directory.file import DirectoryFileError
from providers.registry import ProviderSettings, Registry, default_registry
from providers.signals import Signals


def test_the_free_providers_are_there_in_the_order_in_which_they_are_asked() -> None:
    registry = default_registry(ProviderSettings())
    assert registry.ids() == ("directory", "directory_archive", "signals")
    assert [provider.info.id for provider in registry] == list(registry.ids())


def test_an_unknown_provider_is_none() -> None:
    registry = default_registry(ProviderSettings())
    assert registry.get("nobody") is None
    assert registry.info("nobody") is None


def test_two_providers_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="two providers are called signals"):
        Registry([Signals(), Signals()])


def test_providers_give_only_fields_of_the_catalogue_that_may_be_wanted() -> None:
    for provider in default_registry(ProviderSettings()):
        for entity_type, names in provider.info.gives.items():
            known = fields_of(entity_type)
            assert all(known[name].enrichable for name in names), provider.info.id
        assert provider.info.needs
        assert provider.info.attribution


def test_a_price_is_the_operators_and_of_this_registry_alone() -> None:
    priced = default_registry(ProviderSettings(prices={"directory_archive": 2, "signals": 1}))
    info = priced.info("directory_archive")
    assert info is not None
    assert info.price == 2
    assert [provider.info.price for provider in default_registry(ProviderSettings())] == [0, 0, 0]


@pytest.mark.parametrize(("prices", "fault"), [({"nobody": 1}, "nobody"), ({"signals": -1}, "below 0")])
def test_a_price_that_cannot_be_is_refused(prices: dict[str, int], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        default_registry(ProviderSettings(prices=prices))


async def test_an_operators_file_takes_the_place_of_a_packaged_directory(tmp_path: Path) -> None:
    path = tmp_path / "own.csv"
    path.write_text("name,domain\nZipfel Werke,zipfel.de\n", encoding="utf-8")
    registry = default_registry(ProviderSettings(directory_archive_file=path))
    question = Question(EntityType.ACCOUNT, {"name": "Zipfel Werke GmbH"}, frozenset())
    answers = {provider.info.id: await provider.ask(question) for provider in registry}
    matched = {name: answer.matched for name, answer in answers.items() if isinstance(answer, Answer)}
    assert (matched["directory_archive"], matched["directory"]) == (True, False)
    info = registry.info("directory_archive")
    assert info is not None
    assert "own.csv" in info.attribution


def test_a_bad_file_is_refused_at_start_not_at_the_first_question(tmp_path: Path) -> None:
    with pytest.raises(DirectoryFileError):
        default_registry(ProviderSettings(directory_file=tmp_path / "absent.csv"))
