"""Waits as the service says where a limit is used up, and sends the request again: a refused one has done nothing."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import httpx

TOO_MANY = 429
MOST_SECONDS = 300.0  # to wait for one request in all; then its caller gets the refusal
_USUAL_SECONDS = 5.0


class WaitingClient(httpx.Client):
    """httpx's client, which waits."""

    def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        waited = 0.0
        while True:
            response = super().send(request, **options)
            pause = pause_of(response.status_code, response.headers)
            if pause is None or waited + pause > MOST_SECONDS:
                return response
            response.close()
            time.sleep(pause)
            waited += pause


class WaitingAsyncClient(httpx.AsyncClient):
    """httpx's client for asyncio, which waits."""

    async def send(self, request: httpx.Request, **options: Any) -> httpx.Response:
        waited = 0.0
        while True:
            response = await super().send(request, **options)
            pause = pause_of(response.status_code, response.headers)
            if pause is None or waited + pause > MOST_SECONDS:
                return response
            await response.aclose()
            await asyncio.sleep(pause)
            waited += pause


def pause_of(status: int, headers: Mapping[str, str]) -> float | None:
    """For how many seconds a refusal asks to wait; None: it is no refusal of a limit."""
    if status != TOO_MANY:
        return None
    told = headers.get("Retry-After", "")
    return float(told) if told.isascii() and told.isdigit() else _USUAL_SECONDS
