"""Who asks, and the services an operation may use."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from arq.connections import ArqRedis

from models.retention import KeepDays
from providers.registry import Registry
from resolvers.audit_seal import NO_SEALS, AuditSeals
from resolvers.errors import Forbidden, Unauthenticated
from resolvers.events.subscriber import EventSubscriber
from resolvers.measures import Measures
from resolvers.provider.callback_urls import CallbackUrls
from resolvers.secret_box import SecretBox
from resolvers.tracing import Tracer
from resolvers.webhook.rules import WebhookRules
from resolvers.yields import RecentYields


class Role(StrEnum):
    """What a user may do; each role may do all that the ones before it may."""

    VIEWER = "VIEWER"
    USER = "USER"
    MANAGER = "MANAGER"
    ADMIN = "ADMIN"

    def covers(self, needed: "Role") -> bool:
        order = list(Role)
        return order.index(self) >= order.index(needed)


@dataclass(frozen=True, slots=True)
class Caller:
    """A user of one organization, as the token says."""

    organization_id: str
    user: str
    role: Role
    email: str | None = None
    expires_at: datetime | None = None
    token_id: str | None = None  # `jti`
    issued_at: datetime | None = None  # `iat`


@dataclass(slots=True)
class Services:
    """What the process shares: opened once, handed to every operation and job."""

    redis: ArqRedis
    registry: Registry
    events: EventSubscriber
    now: Callable[[], datetime]
    monthly_credit_grant: int
    secret_box: SecretBox | None = None  # None: this installation keeps no keys of organizations
    keep_days: KeepDays = field(default_factory=KeepDays)  # how long what may be forgotten is kept
    shared_keys: frozenset[str] = frozenset()  # providers that the installation has a key for
    hash_key: bytes | None = field(default=None, repr=False)  # read on first use: see resolvers.keyed_hash
    audit_seals: AuditSeals = NO_SEALS  # the keys that seal the audit log
    callback_urls: CallbackUrls | None = None  # None: no provider can reach this installation
    recent_yields: RecentYields = field(default_factory=RecentYields)
    measures: Measures = field(default_factory=Measures)  # what this process's work comes to
    webhooks: WebhookRules = field(default_factory=WebhookRules)
    tracer: Tracer | None = None  # None: nothing is traced


@dataclass(slots=True)
class Context:
    """One request. `caller` is None until the token has been accepted.

    `origin` says where it came from, for the audit log: the interface and the address (`rest 10.0.0.7`).
    """

    services: Services
    caller: Caller | None = None
    origin: str | None = None

    def require(self, role: Role) -> Caller:
        """The caller, if the role allows it. Raises Unauthenticated or Forbidden."""
        if self.caller is None:
            raise Unauthenticated("a bearer token is needed")
        if not self.caller.role.covers(role):
            raise Forbidden(f"this needs the role {role.value}; yours is {self.caller.role.value}")
        return self.caller
