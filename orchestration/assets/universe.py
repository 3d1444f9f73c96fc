"""Universe: which instruments are tracked, and when their markets are open."""

from datetime import timedelta

import dagster as dg

from chandlery.clock import now
from chandlery.market.calendar import FIRST_SESSION
from chandlery.settings import Settings
from chandlery.sources.protocol import BarSource
from chandlery.steps.universe import build_calendar, ingest_splits, sync_universe
from chandlery.store.warehouse import Warehouse
from orchestration.failures import RETRY, boundary
from orchestration.metadata import table
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
            "preview": table(receipt.rows),
        }
    )


@dg.asset(key_prefix="ops", group_name="universe", kinds={"postgres"}, owners=["team:data"], backfill_policy=RANGE)
def sessions(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """Calendar table: open, close and half days of NYSE and the 24/7 market, to one year ahead."""
    with boundary(context):
        receipt = build_calendar(warehouse, start=FIRST_SESSION, end=now().date() + timedelta(days=366))
    rows = [{"calendar": name, "sessions": count} for name, count in receipt.sessions.items()]
    return dg.MaterializeResult(metadata={"dagster/row_count": sum(receipt.sessions.values()), "preview": table(rows)})


@dg.asset(
    key_prefix="raw",
    group_name="universe",
    kinds={"postgres"},
    owners=["team:data"],
    backfill_policy=RANGE,
    deps=[instruments],
    retry_policy=RETRY,
)
def massive__splits(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> dg.MaterializeResult[None]:
    """Splits as the source records them; bars stay unadjusted, prices are adjusted when read."""
    with boundary(context):
        receipt = ingest_splits(bar_source, warehouse, source_name=settings.resolved_source)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": receipt.splits,
            "changed": receipt.changed,
            "preview": table(receipt.rows),
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
    )
]
