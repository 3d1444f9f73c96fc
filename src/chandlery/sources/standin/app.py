"""The app: every route, behind the key, the plan, the fault script and the journal.

Served: minute and day aggregates, grouped daily, previous close, open-close, splits, dividends, tickers with
details and events, market status, and on demand the flat-file tree. Bars carry one header of the stand-in's own,
`Chandlery-Source`: who published them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.types import ASGIApp

from chandlery import clock
from chandlery.sources.standin.bars_endpoints import SOURCE_HEADER, BarsEndpoints
from chandlery.sources.standin.faults import FaultScript
from chandlery.sources.standin.faults.player import FaultyApp
from chandlery.sources.standin.flat_files import FLAT_FILE_PATH, FlatFiles
from chandlery.sources.standin.handlers import Site, guarded
from chandlery.sources.standin.holdings import Holdings
from chandlery.sources.standin.journal import JournalApp, Received
from chandlery.sources.standin.plan_guard import PlanGuard
from chandlery.sources.standin.plans import Plan
from chandlery.sources.standin.queries import MAX_LIMIT
from chandlery.sources.standin.reference_endpoints import ReferenceEndpoints
from chandlery.sources.tapes.tape import Tape

__all__ = ["SOURCE_HEADER", "create_app"]


def create_app(
    tape: Tape | Holdings,
    *,
    page_limit: int = MAX_LIMIT,
    faults: FaultScript | None = None,
    plan: Plan | None = None,
    now: Callable[[], datetime] = clock.now,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    flat_files: bool = False,
    journal: list[Received] | None = None,
) -> ASGIApp:
    """Return the ASGI app that serves a tape.

    Args:
        tape: what to serve, a new file on it is seen by a new app only; as `Holdings` it can be changed under way.
        page_limit: rows a page never exceeds, whatever the request's limit; small values test paging.
        faults: what goes wrong, and when; None: nothing.
        plan: the limits of a subscription; None: everything at once, as fast as asked.
        now: the clock of the plan, of the market status and of faults that wait for an instant.
        sleep: how slow answers wait; a simulation moves its clock here.
        flat_files: whether the flat-file tree is served under `/flatfiles`.
        journal: where to write down every request; None: nowhere.
    """
    holdings = tape if isinstance(tape, Holdings) else Holdings(tape)
    guard = PlanGuard(plan, now)
    site = Site(holdings, guard, now, page_limit)
    routes = {**BarsEndpoints(site).routes(), **ReferenceEndpoints(site).routes()}
    listed = [Route(path, guarded(handler, guard)) for path, handler in routes.items()]
    if flat_files:
        listed.append(Route(FLAT_FILE_PATH, FlatFiles(site).answer))
    app: ASGIApp = Starlette(routes=listed)
    if faults is not None:
        app = FaultyApp(app, faults, holdings=holdings, now=now, sleep=sleep)
    return app if journal is None else JournalApp(app, journal, now)
