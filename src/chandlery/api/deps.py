"""What routes depend on: the pools of this app and a key with a scope. Async throughout: no thread per request."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import structlog
from fastapi import Depends, Request, params

from chandlery.api.auth import Authenticator, check_scope
from chandlery.api.metrics import Metrics
from chandlery.store.serving_pools import ServingPools


async def _pools(request: Request) -> ServingPools:
    pools: ServingPools = request.app.state.pools
    return pools


async def _metrics(request: Request) -> Metrics:
    metrics: Metrics = request.app.state.metrics
    return metrics


Pools = Annotated[ServingPools, Depends(_pools)]
AppMetrics = Annotated[Metrics, Depends(_metrics)]


def requires(scope: str) -> params.Depends:
    """Return the dependency of a route that needs a key with `scope`; it runs before parameters are judged."""
    return params.Depends(_check_for(scope))


def _check_for(scope: str) -> Callable[[Request], Awaitable[None]]:
    async def check(request: Request) -> None:
        authenticator: Authenticator = request.app.state.authenticator
        record = await authenticator.authenticate(_presented(request))
        request.state.key_id = record.key_id
        structlog.contextvars.bind_contextvars(key_id=record.key_id)
        check_scope(record, scope)

    return check


def _presented(request: Request) -> str | None:
    scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return credentials.strip()
    return request.headers.get("x-api-key")
