"""The parameters that several routes share."""

from enum import StrEnum

from resolvers.idempotency import LONGEST_KEY
from resolvers.paging import MAX_SIZE
from service.rest.description.json_schema import any_case_schema, case_pattern
from service.rest.idempotency import HEADER
from service.rest.operation import Parameter
from service.rest.query import ALL, DEFAULT_LIMIT

_DATE_OR_TIME = {"anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}]}

JOB_ID = Parameter(
    name="id",
    index="path",
    required=True,
    description="The job's id.",
    schema={"type": "string", "format": "uuid"},
    example="01936f2a-6f1c-7d3e-8a55-0c8f5f2b9a10",
)
CONFLICT_ID = Parameter(
    name="id",
    index="path",
    required=True,
    description="The conflict's id.",
    schema={"type": "string", "format": "uuid"},
    example="01936f2a-7a40-7c11-9b0e-4f7d2c6e1b33",
)
IF_MATCH = Parameter(
    name="If-Match",
    index="header",
    description="Change only this version: the `ETag` of an earlier answer, weak or strong, or `*`.",
    schema={"type": "string", "pattern": r'^(\*|(W/)?"[0-9]+"(, *(W/)?"[0-9]+")*)$'},
    example='"3"',
)
IF_NONE_MATCH = Parameter(
    name="If-None-Match",
    index="header",
    description="Answer only where this is not the version: the `ETag` of an earlier answer, or `*`.",
    schema={"type": "string"},
    example='"3"',
)
LIMIT = Parameter(
    name="limit",
    description="How many at most.",
    schema={"type": "integer", "minimum": 1, "maximum": MAX_SIZE, "default": DEFAULT_LIMIT},
    example=20,
)
IDEMPOTENCY_KEY = Parameter(
    name=HEADER,
    index="header",
    description="The same request again within a day is done once, and answered as the first time.",
    schema={"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[!-~]+$"},
    example="6f1c7d3e-import-1042",
)
PAGING = (
    LIMIT,
    Parameter(
        name="cursor",
        description="Where to go on: taken from the `Link` of the page before, with the other parameters.",
        schema={"type": "string"},
    ),
)


def choice(name: str, kind: type[StrEnum], description: str, *, required: bool = False) -> Parameter:
    """A comma-separated list of the members of `kind`, in any case, or `all`."""
    members = ", ".join(f"`{member}`" for member in kind)
    word = f"({'|'.join(map(case_pattern, [*kind, ALL]))})"
    return Parameter(
        name=name,
        description=f"{description} `{ALL}`, or a list with commas of {members}.",
        schema={"type": "string", "pattern": f"^{word}(,{word})*$"},
        required=required,
        example=ALL,
    )


def one_of(name: str, kind: type[StrEnum], description: str, default: StrEnum) -> Parameter:
    """One member of `kind`, in any case."""
    return Parameter(
        name=name,
        description=description,
        schema={**any_case_schema(kind), "default": default.value},
        example=default.value,
    )


def moment(name: str, description: str) -> Parameter:
    """A date (its first moment) or a time."""
    return Parameter(
        name=name,
        description=f"{description} A date or a time in ISO 8601.",
        schema=_DATE_OR_TIME,
        example="2026-11-01",
    )


def period(default: str) -> tuple[Parameter, Parameter]:
    """`from` and `to`; `default` is the period without them."""
    return (
        Parameter(
            name="from",
            description=f"Start of the period, a date or a time in ISO 8601. Without it: {default}.",
            schema=_DATE_OR_TIME,
            example="2026-11-01",
        ),
        Parameter(
            name="to",
            description="End of the period, not part of it.",
            schema=_DATE_OR_TIME,
            example="2026-12-01T00:00:00Z",
        ),
    )
