"""One of the two translators: the library's errors become Dagster failures, with their truth about retries."""

from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg
from structlog.contextvars import bound_contextvars

from chandlery.errors import ChandleryError

RETRY = dg.RetryPolicy(max_retries=2, delay=5, backoff=dg.Backoff.EXPONENTIAL, jitter=dg.Jitter.FULL)
"""Applied to what talks to the outside; a permanent error is not retried, whatever the policy says."""


@contextmanager
def boundary(context: dg.AssetExecutionContext | dg.AssetCheckExecutionContext) -> Iterator[None]:
    """Bind run and asset to every log line inside; turn any error into a `dg.Failure`.

    An error of ours says itself whether a retry can help. Any other exception is a bug, so it is permanent.
    """
    with bound_contextvars(run_id=context.run.run_id, step=context.op_execution_context.op.name):
        try:
            yield
        except ChandleryError as error:
            raise dg.Failure(
                description=str(error), metadata={"code": error.code}, allow_retries=error.retryable
            ) from error
        except dg.Failure:
            raise
        except Exception as error:
            raise dg.Failure(
                description=f"Unexpected {type(error).__name__}: {error}. This is a defect of chandlery.",
                metadata={"code": "bug"},
                allow_retries=False,
            ) from error
