"""The app: `uvicorn.run("chandlery.api.app:create_app", factory=True)`."""

import importlib
import pkgutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

import chandlery
from chandlery import clock
from chandlery.api import routes
from chandlery.api.auth import Authenticator
from chandlery.api.documentation import describe
from chandlery.api.errors import answer_problem
from chandlery.api.metrics import Metrics
from chandlery.api.middleware import RequestEnvelope
from chandlery.errors import ChandleryError
from chandlery.log import configure
from chandlery.settings import Settings, load_settings
from chandlery.store.serving_pools import ServingPools
from chandlery.store.warehouse import open_warehouse

_DESCRIPTION = (
    "Published candles with their quality, studies and risk reports. Every answer names the version it was read from "
    "and where its rows come from. A key goes into the Authorization header; times are UTC and ranges half open."
)


def create_app(settings: Settings | None = None, *, now: Callable[[], datetime] = clock.now) -> FastAPI:
    """Return the API; nothing is opened before the first request, so it starts while the database is away.

    Args:
        settings: None: read from the environment, and logging is set up, because this is then a process's edge.
        now: the clock keys expire by.

    Raises:
        ConfigError: the environment cannot be read as settings.
    """
    if settings is None:
        settings = load_settings()
        configure(settings.log_style)
    pools = ServingPools(
        lambda: open_warehouse(settings, start=False),
        size=settings.api.pool_size,
        statement_timeout_ms=settings.api.statement_timeout_ms,
    )

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        await pools.close()

    app = FastAPI(
        title="chandlery",
        version=chandlery.__version__,
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.pools = pools
    app.state.authenticator = Authenticator(pools, now)
    app.state.metrics = Metrics()
    app.add_middleware(RequestEnvelope, metrics=app.state.metrics)
    for kind in (ChandleryError, RequestValidationError, HTTPException):
        app.add_exception_handler(kind, answer_problem)
    for router in _routers():
        app.include_router(router)
    app.openapi = lambda: describe(app)  # type: ignore[method-assign]
    return app


def _routers() -> tuple[APIRouter, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(routes.__path__))
    return tuple(importlib.import_module(f"{routes.__name__}.{name}").router for name in names)
