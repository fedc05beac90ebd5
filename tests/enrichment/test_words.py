"""People read words and names: every closed list has words, and no id or code stands in a sentence."""

import re
from collections.abc import Mapping
from enum import StrEnum

import pytest

from enrichment.enums import FieldOutcomeReason, FieldPolicy, JobStatus, JobTrigger
from enrichment.waterfall.skip_reason import SkipReason
from enrichment.words import (
    ENDED,
    NOT_ASKED,
    POLICIES,
    STARTED_BY,
    field_words,
    naming,
    of_detail,
    of_status,
    source_name,
)

CODE = re.compile(r"[a-z]+_[a-z_]+")


@pytest.mark.parametrize(
    ("kind", "words"),
    [(JobTrigger, STARTED_BY), (FieldPolicy, POLICIES), (FieldOutcomeReason, ENDED), (SkipReason, NOT_ASKED)],
)
def test_every_member_of_a_list_has_words_without_a_code(kind: type[StrEnum], words: Mapping[StrEnum, str]) -> None:
    assert set(words) == set(kind)
    assert [text for text in words.values() if CODE.search(text)] == []


def test_a_status_is_said_in_words() -> None:
    assert [of_status(status) for status in JobStatus if CODE.search(of_status(status))] == []


def test_a_provider_goes_by_its_name_and_one_that_is_gone_by_its_id_in_words() -> None:
    name_of = naming({"directory_archive": "Directory archive", "peopledatalabs": "People Data Labs"})
    sources = ["crm", "reviewer", "peopledatalabs", "directory_archive", "old_source"]
    named = ["the CRM", "a reviewer", "People Data Labs", "Directory archive", "Old source"]
    assert [name_of(source) for source in sources] == named
    assert source_name("apollo") == "Apollo"


def test_a_code_that_an_earlier_version_stored_as_a_detail_is_read_as_words() -> None:
    assert of_detail("not_enough_input") == "the record has not enough to ask with"
    assert of_detail("no_provider") == "no provider that is switched on gives this field"
    assert of_detail("matched by its domain") == "matched by its domain"


def test_a_field_is_named_as_people_write_it() -> None:
    names = {"postalCode": "postal code", "linkedinUrl": "LinkedIn URL", "naicsCode": "NAICS code", "title": "title"}
    assert {name: field_words(name) for name in names} == names
