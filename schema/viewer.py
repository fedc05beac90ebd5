"""Who asks, and what they may do."""

from datetime import datetime

import strawberry

from resolvers.context import Role
from resolvers.permissions import Permission, permissions_of
from schema.base.context import Info

strawberry.enum(Role, description="What a user may do; each role may do all that the ones before it may.")
strawberry.enum(
    Permission,
    description="Something that a user may do. READ: what every role reads. PAUSE: the pipeline, and resume it."
    " SUPPRESS and ERASE: also read what was. HANDLE_JOBS: retry and cancel. ENRICH: also preview.",
)


@strawberry.type(description="The user whose token it is.")
class Viewer:
    user_id: str = strawberry.field(description="The token's `sub`.")
    email: str | None
    organization_id: str
    role: Role
    may: list[Permission]
    token_expires_at: datetime | None


@strawberry.type
class ViewerQuery:
    @strawberry.field(description="Who asks, for which organization, and what they may do.")
    def viewer(self, info: Info) -> Viewer:
        caller = info.context.require(Role.VIEWER)
        return Viewer(
            user_id=caller.user,
            email=caller.email,
            organization_id=caller.organization_id,
            role=caller.role,
            may=permissions_of(info.context),
            token_expires_at=caller.expires_at,
        )
