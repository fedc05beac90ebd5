"""What is stored in Redis is JSON, whatever arq wants to store."""

import pytest
from arq.jobs import deserialize_result, serialize_result
from arq.worker import JobExecutionFailed

from service.redis_pool import dump_job, load_job


def test_a_job_of_a_function_that_is_gone_is_stored_without_its_text() -> None:
    stored = serialize_result(
        "cron:gone", (), {}, 1, 0, False, JobExecutionFailed("secret"), 0, 0, "ref", "queue", "id", serializer=dump_job
    )
    assert stored is not None
    assert b"secret" not in stored
    assert deserialize_result(stored, deserializer=load_job).result == "JobExecutionFailed"


def test_what_is_no_json_is_not_queued() -> None:
    with pytest.raises(TypeError):
        dump_job({"value": object()})
