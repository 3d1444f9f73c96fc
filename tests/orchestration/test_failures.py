"""The translator: retry truth comes from the error class."""

from types import SimpleNamespace
from typing import Any

import dagster as dg
import pytest
from structlog.contextvars import get_contextvars

from chandlery.errors import BadPayload, RateLimited
from orchestration.failures import RETRY, boundary


@pytest.fixture
def context() -> Any:
    op = SimpleNamespace(op=SimpleNamespace(name="raw__massive__bars_1m"))
    return SimpleNamespace(run=SimpleNamespace(run_id="run-1"), op_execution_context=op)


def test_retryable_error_may_be_retried(context: Any) -> None:
    with pytest.raises(dg.Failure) as caught, boundary(context):
        raise RateLimited("asked too often")
    assert caught.value.allow_retries is True
    assert caught.value.description == "asked too often"
    assert caught.value.metadata["code"].value == "rate_limited"


def test_permanent_error_is_not_retried(context: Any) -> None:
    with pytest.raises(dg.Failure) as caught, boundary(context):
        raise BadPayload("no results field")
    assert caught.value.allow_retries is False


def test_unknown_exception_is_a_permanent_defect(context: Any) -> None:
    with pytest.raises(dg.Failure) as caught, boundary(context):
        raise KeyError("rows")
    assert caught.value.allow_retries is False
    assert caught.value.metadata["code"].value == "bug"


def test_log_lines_inside_carry_run_and_step(context: Any) -> None:
    with boundary(context):
        assert get_contextvars() == {"run_id": "run-1", "step": "raw__massive__bars_1m"}
    assert get_contextvars() == {}


@pytest.mark.parametrize(("error", "runs"), [(RateLimited, 3), (BadPayload, 1)])
def test_policy_runs_a_retryable_step_three_times_and_a_permanent_one_once(error: type[Exception], runs: int) -> None:
    tries: list[int] = []

    @dg.asset(retry_policy=dg.RetryPolicy(max_retries=RETRY.max_retries))
    def failing(context: dg.AssetExecutionContext) -> None:
        tries.append(1)
        with boundary(context):
            raise error("no")

    assert not dg.materialize([failing], raise_on_error=False).success
    assert len(tries) == runs
