"""Universe: which instruments are tracked, and when their markets are open."""

from datetime import timedelta

import dagster as dg

from chandlery.clock import now
from chandlery.settings import Settings
from chandlery.sources.protocol import BarSource
from chandlery.steps.calendar import build_calendar
from chandlery.steps.universe import sync_universe
from chandlery.store.warehouse import Warehouse
from orchestration.failures import RETRY, boundary
from orchestration.metadata import Materialized, table
from orchestration.partitions import RANGE


@dg.asset(
    key_prefix="ops",
    group_name="universe",
    kinds={"postgres"},
    owners=["team:data"],
    backfill_policy=RANGE,
    retry_policy=RETRY,
)
def instruments(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> dg.MaterializeResult[None]:
    """Instruments tracked under their present tickers; one keeps its id when its ticker changes."""
    with boundary(context):
        receipt = sync_universe(
            bar_source, warehouse, symbols=settings.pipeline.symbols, source_name=settings.resolved_source
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": len(receipt.symbols),
            "untracked": receipt.untracked,
            "notes": table(receipt.notes),
            "preview": table(receipt.rows),
        }
    )


@dg.asset(key_prefix="ops", group_name="universe", kinds={"postgres"}, owners=["team:data"], backfill_policy=RANGE)
def sessions(
    context: dg.AssetExecutionContext,
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> Materialized:
    """Calendar table: hours of NYSE since 1960 and of the 24/7 market since 2009, to one year ahead, with votes."""
    with boundary(context):
        receipt = build_calendar(warehouse, end=now().date() + timedelta(days=366), source=bar_source)
    rows = [{"calendar": name, "sessions": count} for name, count in receipt.sessions.items()]
    return Materialized(
        metadata={
            "dagster/row_count": sum(receipt.sessions.values()),
            "changed": receipt.changed,
            "disagreements": table(receipt.disagreements),
            "preview": table(rows),
        }
    )


WRITTEN_WITH_INSTRUMENTS = [
    dg.AssetSpec(
        ["ops", "instrument_tickers"],
        deps=[instruments],
        group_name="universe",
        kinds={"postgres"},
        owners=["team:data"],
        description="Which instrument held a ticker, and since when.",
    ),
    dg.AssetSpec(
        ["ops", "session_exceptions"],
        deps=[sessions],
        group_name="universe",
        kinds={"postgres"},
        owners=["team:data"],
        description="Halts, closures and unusual hours that people or sources told, with their evidence.",
    ),
]
