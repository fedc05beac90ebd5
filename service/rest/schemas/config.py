"""The shape of the configuration, as it is read and as it is changed."""

from collections.abc import Mapping

from enrichment.vocabulary import EntityType, FieldPolicy, Strategy
from service.rest.schemas.build import (
    FLAG,
    MOMENT,
    SHARE,
    TEXT,
    Json,
    always,
    any_case,
    closed_list,
    listed,
    nullable,
    ref,
    request_shape,
    shape,
)

POLICY_RULE: Json = {
    "description": "What enrichment may do to a field: a policy, or a policy with a minimum confidence.",
    "anyOf": [any_case(FieldPolicy), ref("PolicyRuleObject")],
}
POLICY_RULE_OBJECT = request_shape(
    "A policy with the confidence from which on it writes; null means the config's own minimum.",
    {"policy": any_case(FieldPolicy), "minConfidence": nullable(SHARE)},
    required=("policy",),
)
ENTITY_POLICIES = shape(
    "The rule for every field of an entity type, and the fields that have their own.",
    {"default": ref("PolicyRule"), "fields": {"type": "object", "additionalProperties": ref("PolicyRule")}},
)
ENTITY_POLICIES_CHANGES = request_shape(
    "As `EntityPolicies`; a null takes the rule of a field away.",
    {
        "default": ref("PolicyRule"),
        "fields": {"type": "object", "additionalProperties": nullable(ref("PolicyRule"))},
    },
)
_LIMIT = nullable({"type": "integer", "minimum": 0, "maximum": 1_000_000_000})
_CONFIG: Mapping[str, Json] = {
    "enabled": FLAG,
    "triggers": request_shape(
        "When enrichment starts by itself.",
        {
            "onCreate": FLAG,
            "onUpdate": FLAG,
            "refreshAfterDays": nullable({"type": "integer", "minimum": 1, "maximum": 3650}),
        },
    ),
    "entityTypes": request_shape(
        "Which entity types are enriched by themselves.", {kind.value: FLAG for kind in EntityType}
    ),
    "strategy": any_case(Strategy),
    "consensusSize": {"type": "integer", "minimum": 2, "maximum": 10},
    "providers": {
        **listed(
            request_shape(
                "One provider. `dailyLimit`: most credits a day; null means no limit.",
                {"id": TEXT, "enabled": FLAG, "dailyLimit": _LIMIT},
                required=("id",),
            )
        ),
        "description": "In order of priority; given as a whole.",
        "maxItems": 100,
    },
    "fieldPolicies": request_shape(
        "By entity type.", {kind.value: ref("EntityPoliciesChanges") for kind in EntityType}
    ),
    "minConfidence": SHARE,
    "cooldownHours": {"type": "integer", "minimum": 0, "maximum": 8760},
    "maxAttempts": {"type": "integer", "minimum": 1, "maximum": 50},
    "backoff": request_shape(
        "How long a job waits after a failed attempt; doubles from the first to the longest.",
        {
            "initialSeconds": {"type": "integer", "minimum": 1, "maximum": 86_400},
            "maxSeconds": {"type": "integer", "minimum": 1, "maximum": 604_800},
        },
    ),
    "credits": request_shape(
        "The most that may be spent: in a month, in a day, by one job on its record.",
        {
            "monthlyLimit": _LIMIT,
            "dailyLimit": _LIMIT,
            "perRecordMax": _LIMIT,
            "alertThresholds": {
                **listed({"type": "number", "exclusiveMinimum": 0, "maximum": 1}),
                "maxItems": 10,
            },
        },
    ),
}
CONFIG = shape(
    "The rules of the organization.",
    {
        **{key: always(schema) for key, schema in _CONFIG.items()},
        "strategy": closed_list(Strategy),
        "fieldPolicies": shape("By entity type.", {kind.value: ref("EntityPolicies") for kind in EntityType}),
        "version": {"type": "integer", "minimum": 1, "description": "Also the `ETag`."},
        "updatedAt": MOMENT,
        "updatedBy": nullable(TEXT),
    },
)
_IGNORED: Json = {"description": "Shown by GET, and ignored where it is sent back."}
CONFIG_CHANGES = request_shape(
    "The keys to change; objects are merged, lists replaced.",
    {**_CONFIG, "version": _IGNORED, "updatedAt": _IGNORED, "updatedBy": _IGNORED},
)

SCHEMAS = {
    "PolicyRule": POLICY_RULE,
    "PolicyRuleObject": POLICY_RULE_OBJECT,
    "EntityPolicies": ENTITY_POLICIES,
    "EntityPoliciesChanges": ENTITY_POLICIES_CHANGES,
    "Config": CONFIG,
    "ConfigChanges": CONFIG_CHANGES,
}
