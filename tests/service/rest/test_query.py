"""What REST reads of a query, and what it refuses to understand."""

from datetime import UTC, datetime

import pytest

from enrichment.enums import EntityType, JobStatus
from models.conflict.order import ConflictOrder
from resolvers.errors import BadRequest
from service.rest.query import QueryParameters
from tests.support.requests import request


def faults_of(query: QueryParameters) -> dict[str, str]:
    with pytest.raises(BadRequest) as caught:
        query.check()
    return {fault.path: fault.message for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("account", (EntityType.ACCOUNT,)),
        ("LEAD,Contact", (EntityType.LEAD, EntityType.CONTACT)),
        (" lead , lead ", (EntityType.LEAD,)),
        ("all", ()),
        ("ALL", ()),
        ("lead,all", ()),
    ],
)
def test_a_list_of_members_is_read_in_any_case(text: str, members: tuple[EntityType, ...]) -> None:
    query = QueryParameters(request(query=f"entityType={text.replace(' ', '%20')}"))
    assert query.choices("entityType", EntityType, required=True) == members
    query.check()


def test_every_missing_required_parameter_is_named() -> None:
    query = QueryParameters(request())
    query.choices("entityType", EntityType, required=True)
    query.choices("status", JobStatus, required=True)
    faults = faults_of(query)
    assert faults.keys() == {"entityType", "status"}
    assert faults["entityType"] == "required; accepted are lead, contact, account and all"


@pytest.mark.parametrize("text", ["", "%20", "foo", "lead,", "lead,foo", "lead;contact", "%00", "in-progress"])
def test_what_is_no_member_is_refused_with_the_accepted_ones(text: str) -> None:
    query = QueryParameters(request(query=f"entityType={text}"))
    query.choices("entityType", EntityType)
    assert "accepted are lead, contact, account and all" in faults_of(query)["entityType"]


@pytest.mark.parametrize("text", ["created_at_asc", "CREATED_AT_ASC", "%20Created_At_Asc"])
def test_one_member_is_read_in_any_case(text: str) -> None:
    query = QueryParameters(request(query=f"orderBy={text}"))
    assert query.choice("orderBy", ConflictOrder, ConflictOrder.CREATED_AT_DESC) is ConflictOrder.CREATED_AT_ASC
    query.check()
    assert QueryParameters(request()).choice("orderBy", ConflictOrder, ConflictOrder.CREATED_AT_DESC) is (
        ConflictOrder.CREATED_AT_DESC
    )


@pytest.mark.parametrize(
    "text", ["all", "ALL", "oldest", "", "%20", "created_at_asc,created_at_desc", "all,created_at_asc"]
)
def test_what_is_not_one_member_is_refused_once_with_those_that_are_taken(text: str) -> None:
    query = QueryParameters(request(query=f"orderBy={text}"))
    query.choice("orderBy", ConflictOrder, ConflictOrder.CREATED_AT_DESC)
    with pytest.raises(BadRequest) as caught:
        query.check()
    (fault,) = caught.value.faults
    assert fault.path == "orderBy"
    assert fault.message.endswith("; accepted is one of created_at_desc, created_at_asc")


def test_an_absent_optional_parameter_is_none() -> None:
    query = QueryParameters(request(query="other=1"))
    assert query.choices("status", JobStatus) is None
    query.check()


def test_a_parameter_given_twice_is_refused() -> None:
    query = QueryParameters(request(query="entityType=lead&entityType=account"))
    query.choices("entityType", EntityType)
    assert faults_of(query) == {"entityType": "given more than once"}


def test_a_query_that_is_not_utf_8_is_refused_as_any_unknown_value() -> None:
    query = QueryParameters(request(query="entityType=\xff"))
    query.choices("entityType", EntityType)
    assert faults_of(query).keys() == {"entityType"}


def test_unknown_parameters_are_ignored_even_twice() -> None:
    query = QueryParameters(request(query="_=1&_=2&entityType=lead"))
    assert query.choices("entityType", EntityType) == (EntityType.LEAD,)
    query.check()


@pytest.mark.parametrize(("text", "size"), [("1", 1), ("200", 200), ("050", 50)])
def test_a_limit_from_1_to_200_is_taken(text: str, size: int) -> None:
    query = QueryParameters(request(query=f"limit={text}"))
    assert query.page().first == size
    query.check()


@pytest.mark.parametrize("text", ["0", "201", "-1", "1.5", "", "abc", "99999999999999999999", "1e2", "%D9%A1"])
def test_any_other_limit_is_refused(text: str) -> None:
    query = QueryParameters(request(query=f"limit={text}"))
    query.page()
    assert faults_of(query).keys() == {"limit"}


def test_without_a_limit_there_are_50() -> None:
    assert QueryParameters(request()).page().first == 50


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01T10:00:00Z", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T10:00:00", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        ("2026-11-01T10:00:00%2B02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T10:00:00+02:00", datetime(2026, 11, 1, 8, tzinfo=UTC)),
        ("2026-11-01T10:00:00.123456Z", datetime(2026, 11, 1, 10, 0, 0, 123456, tzinfo=UTC)),
    ],
)
def test_a_time_is_read_as_utc_unless_it_says_otherwise(text: str, moment: datetime) -> None:
    query = QueryParameters(request(query=f"from={text}"))
    assert query.moment("from") == moment
    query.check()


@pytest.mark.parametrize("text", ["", "yesterday", "2026-13-01", "0001-01-01T00:00:00%2B10:00", "1700000000"])
def test_what_is_no_time_is_refused(text: str) -> None:
    query = QueryParameters(request(query=f"from={text}"))
    query.moment("from")
    assert faults_of(query).keys() == {"from"}
