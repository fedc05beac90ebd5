"""What the parts of a configuration have in common: their JSON form, and the kinds of numbers in them."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

MAX_LIMIT = 1_000_000_000
Confidence = Annotated[float, Field(ge=0, le=1, strict=True, allow_inf_nan=False)]
Credits = Annotated[int, Field(ge=0, le=MAX_LIMIT, strict=True)]


def lower(value: Any) -> Any:
    """An enum's value as it is stored, from any case."""
    return value.strip().lower() if isinstance(value, str) else value


class Part(BaseModel):
    """A frozen part of the configuration: camelCase in JSON, and no key that it does not know."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)
