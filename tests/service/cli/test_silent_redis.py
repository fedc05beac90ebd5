"""A Redis that accepts and never answers: what is committed is answered, and runs once Redis is back."""

import os
import signal
from pathlib import Path

from tests.service.cli.test_serve import client_of
from tests.support.processes import serving
from tests.support.waiting import wait_until

RECORDS = "/v1/auto-enrichment/records"
SECONDS = 4.0  # less than a connection to Redis waits for one answer


def test_a_write_is_answered_while_redis_is_silent_and_its_job_ends_afterwards(tmp_path: Path) -> None:
    data_dir = tmp_path / "data"
    with serving(data_dir=data_dir) as server, client_of(server, data_dir) as client:
        client.timeout = SECONDS
        redis = server.child()
        os.kill(redis, signal.SIGSTOP)
        try:
            record = {"entityType": "account", "externalId": "A1", "fields": {"domain": "acme.com"}}
            assert client.post(RECORDS, json={"records": [record]}).status_code == 200
        finally:
            os.kill(redis, signal.SIGCONT)
        client.timeout = 60
        jobs = "/v1/auto-enrichment/jobs?entityType=all&status=all"
        wait_until(lambda: all(job["finishedAt"] for job in client.get(jobs).json()))
    assert "Traceback" not in server.text
