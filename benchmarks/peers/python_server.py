"""The Python peers over HTTP: Strawberry as it comes with Tortoise models, and bare routes.

DATABASE_URL=… PORT=… python -m benchmarks.peers.python_server
"""

import asyncio
import os
from datetime import datetime
from typing import Any

import strawberry
import uvicorn
from starlette.applications import Starlette
from starlette.routing import Mount
from strawberry.asgi import GraphQL
from uvicorn.loops.auto import auto_loop_factory

from benchmarks.filled import ORGANIZATION
from benchmarks.peers import bare
from models.db import connection
from models.job.row import Job as JobModel


@strawberry.type
class Record:
    id: strawberry.ID
    external_id: str
    completeness: float
    last_enriched_at: datetime | None


@strawberry.type
class Job:
    id: strawberry.ID
    entity_type: str
    trigger: str
    status: str
    priority: int
    progress: int
    attempts: int
    max_attempts: int
    credits_used: int
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    record: Record


@strawberry.type
class PageInfo:
    has_next_page: bool
    end_cursor: str | None


@strawberry.type
class JobConnection:
    nodes: list[Job]
    page_info: PageInfo


async def _jobs(first: int) -> Any:
    newest = JobModel.filter(organization_id=ORGANIZATION).order_by("-id").limit(first + 1).select_related("record")
    found = await newest
    nodes: list[Any] = list(found[:first])
    return JobConnection(nodes=nodes, page_info=PageInfo(has_next_page=len(found) > first, end_cursor=nodes[-1].id))


@strawberry.type
class Query:
    jobs: JobConnection = strawberry.field(resolver=_jobs)


async def _serve() -> None:
    await connection.connect(os.environ["DATABASE_URL"], pool=6)
    served: Any = GraphQL(strawberry.Schema(Query))
    app = Starlette(routes=[*bare.ROUTES, Mount("/graphql", served)])
    config = uvicorn.Config(app, port=int(os.environ["PORT"]), access_log=False, log_level="error", lifespan="off")
    await uvicorn.Server(config).serve()
    await connection.close()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(_serve())
