"""The shape of a certificate of erasure."""

from enrichment.enums import EntityType
from service.rest.schemas.build import COUNT, ID, MOMENT, TEXT, closed_list, listed, nullable, shape

CERTIFICATE = shape(
    "What was removed of a record, where, and what was not reached. It names no value.",
    {
        "id": ID,
        "entityType": closed_list(EntityType),
        "reason": nullable(TEXT),
        "erasedAt": MOMENT,
        "by": nullable(TEXT),
        "removed": listed(shape("How much was removed, and where.", {"where": TEXT, "count": COUNT})),
        "notReached": listed(TEXT),
        "others": {
            **listed(
                shape("A record by the CRM's own id.", {"entityType": closed_list(EntityType), "externalId": TEXT})
            ),
            "description": "Records that hold the same e-mail address or profile and were not erased.",
        },
    },
)

SCHEMAS = {"ErasureCertificate": CERTIFICATE}
