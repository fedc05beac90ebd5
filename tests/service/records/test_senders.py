"""Records are sent to a service with patience, and refusals are shown."""

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from service.records import senders
from service.records.senders import ApiSender, CannotSend


class Service:
    """A service that answers as the test says, request by request."""

    def __init__(self, *answers: tuple[int, dict[str, str]], most: int = 1000) -> None:
        self.answers = list(answers)
        self.most = most
        self.sizes: list[int] = []

    async def answer(self, request: Request) -> Response:
        records = (await request.json())["records"]
        self.sizes.append(len(records))
        status, headers = self.answers.pop(0) if self.answers else (200, {})
        if status == 200 and len(records) > self.most:
            status = 413
        if status != 200:
            return JSONResponse({"code": "X", "detail": "so it is"}, status, headers)
        return JSONResponse({"results": [{"outcome": "created", "error": None} for _ in records]})

    def client(self) -> httpx.AsyncClient:
        app = Starlette(routes=[Route(senders.PATH, self.answer, methods=["POST"])])
        return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test")


@pytest.fixture
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(senders, "FIRST_PAUSE_SECONDS", 0.001)
    monkeypatch.setattr(senders, "LONGEST_PAUSE_SECONDS", 0.01)
    monkeypatch.setattr(senders, "LONGEST_WAIT_SECONDS", 0.01)


RECORDS = [{"externalId": str(number)} for number in range(8)]


async def test_a_busy_service_is_asked_again(no_pauses: None) -> None:
    service = Service((503, {"Retry-After": "5"}), (429, {}), (502, {}))
    async with service.client() as client:
        assert len(await ApiSender(client).send(RECORDS)) == 8
    assert service.sizes == [8, 8, 8, 8]


async def test_a_limit_is_waited_for_however_often_it_is_used_up(no_pauses: None) -> None:
    service = Service(*[(429, {"Retry-After": "60"})] * (2 * senders.TRIES), (200, {}))
    async with service.client() as client:
        assert len(await ApiSender(client).send(RECORDS)) == 8


async def test_a_service_that_only_refuses_ends_the_import(no_pauses: None) -> None:
    service = Service(*[(429, {})] * 200)
    async with service.client() as client:
        with pytest.raises(CannotSend, match="429"):
            await ApiSender(client).send(RECORDS)
    assert len(service.sizes) == senders.MOST_LIMITED + senders.TRIES


async def test_a_batch_that_is_too_large_is_halved(no_pauses: None) -> None:
    service = Service(most=2)
    async with service.client() as client:
        assert len(await ApiSender(client).send(RECORDS)) == 8
    assert service.sizes == [8, 4, 2, 2, 4, 2, 2]


@pytest.mark.parametrize("status", [401, 403, 404, 422])
async def test_a_refusal_ends_the_import_and_is_shown(no_pauses: None, status: int) -> None:
    service = Service((status, {}))
    async with service.client() as client:
        with pytest.raises(CannotSend, match=f"{status} X: so it is"):
            await ApiSender(client).send(RECORDS)
    assert service.sizes == [8]


async def test_a_service_out_of_reach_for_long_ends_the_import(no_pauses: None) -> None:
    async with senders.api_client("http://127.0.0.1:1", "token") as client:
        with pytest.raises(CannotSend, match="ConnectError"):
            await ApiSender(client).send(RECORDS)
