"""Tokens that are refused before they expire."""

from datetime import datetime

import strawberry

from resolvers import revocation as operations
from schema.base.context import Info
from schema.base.copied import copied


@strawberry.type(description="Tokens of the organization that are good no longer.")
class TokenRevocation:
    jti: str | None = strawberry.field(description="The id of the one token.")
    user: str | None = strawberry.field(description="Whose tokens.")
    issued_before: datetime | None = strawberry.field(description="Those of the user that were issued before.")
    revoked_at: datetime


@strawberry.type
class RevocationMutation:
    @strawberry.mutation(
        description="Refuse tokens before they expire, within seconds everywhere: one by its id (`jti`), or all of a"
        " user (`sub`) that were issued before a moment, by default now. Needs ADMIN."
    )
    async def revoke_tokens(
        self, info: Info, jti: str | None = None, user: str | None = None, issued_before: datetime | None = None
    ) -> TokenRevocation:
        found = await operations.revoke_tokens(info.context, jti=jti, user=user, issued_before=issued_before)
        return copied(TokenRevocation, found)
