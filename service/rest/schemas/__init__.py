"""The JSON Schemas of what REST takes and answers, by the names that `openapi.json` gives them."""

from collections.abc import Mapping

from service.rest.schemas import config, conflicts, erasure, jobs, pipeline, problems, records, usage
from service.rest.schemas.build import Json

SCHEMAS: Mapping[str, Json] = dict(
    sorted(
        {
            **config.SCHEMAS,
            **conflicts.SCHEMAS,
            **erasure.SCHEMAS,
            **jobs.SCHEMAS,
            **pipeline.SCHEMAS,
            **problems.SCHEMAS,
            **records.SCHEMAS,
            **usage.SCHEMAS,
        }.items()
    )
)
