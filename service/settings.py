"""Every setting of the service, read once from the environment (prefix `AUTO_ENRICHMENT_`)."""

from collections.abc import Iterable
from datetime import timedelta
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationInfo, field_validator, model_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from models.retention import KeepDays
from providers.http.addresses import check_base
from resolvers.audit_seal import NO_SEALS, AuditSeals, derived_key, read_seal_keys
from resolvers.webhook.addresses import AllowedNetworks
from resolvers.webhook.rules import WebhookRules
from service.limits.policy import LimitSettings
from service.price_list import read_prices
from service.store_settings import StoreSettings

PREFIX = "AUTO_ENRICHMENT_"
TEST_PREFIX = PREFIX + "TEST_"  # where the tests find their database and Redis
TOKEN_VARIABLE = PREFIX + "TOKEN"  # what `import` and `export` show to a running service
NO_KEYS = "none"  # as AUDIT_SEAL_KEYS
ANY_AUDIENCE = "any"  # as JWT_AUDIENCE
DRAIN_SECONDS = 6  # longer than a connection is kept that nobody uses (5)
MOST_PRICE = 10_000  # credits; what 10,000 records may cost fits the Int of GraphQL


class Environment(StrEnum):
    """Production refuses what is convenient only while developing."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    JSON = "json"
    CONSOLE = "console"


class BadSettings(Exception):
    """What is wrong with the settings: one line each, naming the variable, never showing a secret."""

    def __init__(self, faults: Iterable[str]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(self.faults))


class Settings(StoreSettings, LimitSettings):
    """The settings, with their defaults. Times are in seconds unless the name says otherwise."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True, hide_input_in_errors=True
    )

    environment: Environment = Field(
        Environment.DEVELOPMENT, description="development or production; production refuses unsafe settings"
    )
    host: str = Field("127.0.0.1", description="address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="port to listen on; 0 takes a free one")

    jwt_secret: SecretStr | None = Field(
        None, description="shared HS256 secret; default in development: made once, kept in DATA_DIR"
    )
    jwt_secret_previous: SecretStr | None = Field(
        None, description="the secret before, still accepted while tokens signed with it run out"
    )
    jwt_jwks: str | None = Field(
        None, description="URL or file of the public keys (RS256, ES256, EdDSA), instead of a secret"
    )
    jwt_issuer: str | None = Field(None, description="issuer that every token must name")
    jwt_audience: str | None = Field(
        None, description="audience that every token must name; any: whatever a token names"
    )
    jwt_org_claim: str = Field("organizationId", min_length=1, description="claim that names the organization")

    monthly_credit_grant: int = Field(1000, ge=0, le=10**9, description="credits granted each calendar month")
    replay_days: int = Field(
        60, ge=1, le=3650, description="days for which simulateConfig can replay what jobs decided on"
    )
    retention_job_days: int | None = Field(
        None, ge=30, le=3650, description="days for which ended jobs are kept that changed nothing; empty: for ever"
    )
    retention_step_days: int | None = Field(
        None, ge=30, le=3650, description="days for which their steps are kept, of the latest job too; empty: for ever"
    )
    retention_answer_days: int | None = Field(
        None, ge=1, le=3650, description="days for which answers are kept once their time is over; empty: for ever"
    )
    retention_event_days: int = Field(
        14, ge=1, le=3650, description="days for which events are kept, that is, how long a client may stay away"
    )
    retention_webhook_days: int = Field(
        14, ge=1, le=3650, description="days for which deliveries of webhooks are kept, those that wait too"
    )
    webhook_retry_hours: int = Field(24, ge=1, le=168, description="hours for which a webhook is tried again")
    webhook_pause_days: int = Field(
        5, ge=1, le=90, description="days after which an endpoint is paused to which nothing was delivered"
    )
    webhook_allowed_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="networks of your own that webhooks may be sent to, over http too: 10.1.0.0/16,fd00::/8"
    )
    provider_prices: Annotated[dict[str, int], NoDecode] = Field(
        default_factory=dict,
        description="credits per match, by provider: directory_archive=2,signals=0; apollo_phones: for a phone more",
    )
    directory_file: Path | None = Field(None, description="CSV or JSONL of companies for `directory`")
    directory_archive_file: Path | None = Field(None, description="CSV or JSONL of companies for `directory_archive`")

    public_url: str | None = Field(
        None,
        description="https address at which providers and clients reach this service, for later answers and for links",
    )
    described_providers: Path | None = Field(None, description="JSON file, or folder of them, of HTTP providers")
    ca_file: Path | None = Field(
        None, description="PEM file of authorities of your own, trusted for providers beside the usual ones"
    )
    encryption_key: SecretStr | None = Field(
        None, description="seals organizations' provider keys, 32 bytes or more; in development: kept in DATA_DIR"
    )
    audit_seal_keys: SecretStr | None = Field(
        None,
        description="id:secret,id2:secret2: seal the audit log, the first seals, all verify; none: do not seal;"
        " default: a key that follows from ENCRYPTION_KEY",
    )

    worker_concurrency: int = Field(10, ge=1, le=500, description="messages of the queue a worker handles at once")
    drain_seconds: int | None = Field(
        None,
        ge=0,
        le=600,
        description="time for which connections that a proxy keeps may go on when stopping; default: 6 in production",
    )
    shutdown_seconds: int = Field(20, ge=1, le=600, description="time to finish what is in flight when stopping")

    log_level: LogLevel = Field(LogLevel.INFO, description="debug, info, warning or error")
    log_format: LogFormat | None = Field(
        None, description="json or console; default: console in development, json in production"
    )
    metrics: bool = Field(True, description="serve Prometheus metrics at /metrics")
    worker_metrics_port: int | None = Field(
        None, ge=1, le=65535, description="port at which `worker` serves its own metrics; default: none"
    )
    tracing: bool = Field(
        False, description="send traces by OpenTelemetry, set up by its OTEL_… variables; needs the extra tracing"
    )
    introspection: bool | None = Field(None, description="answer GraphQL introspection; default: only in development")
    allowed_documents: Path | None = Field(
        None, description="JSON file of the only GraphQL documents that are answered, by their ids"
    )
    allowed_origins: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="origins of browsers that may call the API, separated by commas"
    )
    max_body_bytes: int = Field(8 * 1024 * 1024, ge=1024, description="largest request body, and WebSocket message")

    @field_validator("tracing")
    @classmethod
    def _has_open_telemetry(cls, value: bool) -> bool:
        try:
            # The last thing that the extra brings: of the first ones another library may have brought some.
            missing = value and find_spec("opentelemetry.exporter.otlp.proto.http") is None
        except ModuleNotFoundError:
            missing = True
        if missing:
            raise ValueError("needs more: pip install 'auto-enrichment[tracing]'")
        return value

    @field_validator("encryption_key")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < 32:
            raise ValueError("should be 32 bytes or more")
        return value

    @field_validator("audit_seal_keys")
    @classmethod
    def _readable_keys(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and value.get_secret_value() != NO_KEYS:
            read_seal_keys(value.get_secret_value())
        return value

    @field_validator("public_url")
    @classmethod
    def _reachable(cls, value: str | None, others: ValidationInfo) -> str | None:
        return value and check_base(value, development=others.data.get("environment") is not Environment.PRODUCTION)

    @field_validator("environment", "log_level", "log_format", mode="before")
    @classmethod
    def _any_case(cls, value: Any) -> Any:
        return value.lower() if isinstance(value, str) else value

    @field_validator("provider_prices", mode="before")
    @classmethod
    def _read_prices(cls, value: Any) -> Any:
        return dict(read_prices(value)) if isinstance(value, str) else value

    @field_validator("provider_prices")
    @classmethod
    def _possible_price(cls, value: dict[str, int]) -> dict[str, int]:
        if not all(0 <= price <= MOST_PRICE for price in value.values()):
            raise ValueError(f"a price is a whole number of credits, 0 to {MOST_PRICE}")
        return value

    @field_validator("allowed_origins", mode="before")
    @classmethod
    def _read_origins(cls, value: Any) -> Any:
        return tuple(origin.rstrip("/") for origin in _listed(value)) if isinstance(value, str) else value

    @field_validator("webhook_allowed_networks", mode="before")
    @classmethod
    def _read_networks(cls, value: Any) -> Any:
        return tuple(_listed(value)) if isinstance(value, str) else value

    @field_validator("webhook_allowed_networks")
    @classmethod
    def _whole_networks(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        AllowedNetworks.read(value)
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _whole_origins(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for origin in value:
            if origin != "*" and not urlsplit(origin).scheme:
                raise ValueError("an origin is a scheme and a host: https://crm.example.com")
        return value

    @model_validator(mode="after")
    def _one_kind_of_key(self) -> "Settings":
        if self.jwt_secret and self.jwt_jwks:
            raise ValueError("JWT_SECRET and JWT_JWKS exclude each other: set the one that signs your tokens")
        return self

    @property
    def production(self) -> bool:
        return self.environment is Environment.PRODUCTION

    @property
    def needed_audience(self) -> str | None:
        """The audience that every token must name. None: whatever it names."""
        return None if self.jwt_audience == ANY_AUDIENCE else self.jwt_audience

    @property
    def seconds_to_drain(self) -> int:
        return (DRAIN_SECONDS if self.production else 0) if self.drain_seconds is None else self.drain_seconds

    @property
    def introspection_open(self) -> bool:
        return not self.production if self.introspection is None else self.introspection

    @property
    def console_logs(self) -> bool:
        return not self.production if self.log_format is None else self.log_format is LogFormat.CONSOLE

    def keep_days(self) -> KeepDays:
        """How long what may be forgotten is kept."""
        return KeepDays(
            self.replay_days,
            self.retention_job_days,
            self.retention_step_days,
            self.retention_answer_days,
            self.retention_event_days,
            self.retention_webhook_days,
        )

    def webhook_rules(self) -> WebhookRules:
        """What webhooks follow."""
        return WebhookRules(
            AllowedNetworks.read(self.webhook_allowed_networks),
            timedelta(hours=self.webhook_retry_hours),
            timedelta(days=self.webhook_pause_days),
            self.ca_file,
        )

    def audit_seals(self) -> AuditSeals:
        """The keys that seal the audit log: those given, and the one that follows from ENCRYPTION_KEY."""
        given = None if self.audit_seal_keys is None else self.audit_seal_keys.get_secret_value()
        if given == NO_KEYS:
            return NO_SEALS
        keys = {} if given is None else read_seal_keys(given)
        if self.encryption_key is not None:
            key_id, key = derived_key(self.encryption_key.get_secret_value().encode())
            keys.setdefault(key_id, key)
        return AuditSeals(keys)


def _listed(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
