"""Corporate actions: what the source records, and the judged list that adjusts prices."""

import dagster as dg

from chandlery.settings import Settings
from chandlery.sources.protocol import BarSource
from chandlery.steps.actions import judge_actions
from chandlery.steps.recorded_actions import (
    RecordReceipt,
    ingest_dividends,
    ingest_splits,
    ingest_ticker_events,
)
from chandlery.store.warehouse import Warehouse
from orchestration.assets.bars import massive__bars_1d, massive__bars_1m
from orchestration.assets.universe import instruments, sessions
from orchestration.failures import RETRY, boundary
from orchestration.metadata import table
from orchestration.partitions import RANGE


def _metadata(receipt: RecordReceipt) -> dict[str, dg.MetadataValue | int]:
    return {
        "dagster/row_count": receipt.recorded,
        "instruments": receipt.instruments,
        "new": receipt.changes.new,
        "gone": receipt.changes.gone,
        "preview": table(receipt.rows),
    }


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
    """Splits as the source records them, in versions; bars stay unadjusted, prices are adjusted when read."""
    with boundary(context):
        receipt = ingest_splits(bar_source, warehouse, source_name=settings.resolved_source)
    return dg.MaterializeResult(metadata=_metadata(receipt))


@dg.asset(
    key_prefix="raw",
    group_name="universe",
    kinds={"postgres"},
    owners=["team:data"],
    backfill_policy=RANGE,
    deps=[instruments],
    retry_policy=RETRY,
)
def massive__dividends(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> dg.MaterializeResult[None]:
    """Cash dividends as the source records them, in versions, per share on the basis of their ex-date."""
    with boundary(context):
        receipt = ingest_dividends(bar_source, warehouse, source_name=settings.resolved_source)
    return dg.MaterializeResult(metadata=_metadata(receipt))


@dg.asset(
    key_prefix="raw",
    group_name="universe",
    kinds={"postgres"},
    owners=["team:data"],
    backfill_policy=RANGE,
    deps=[instruments],
    retry_policy=RETRY,
)
def massive__ticker_events(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
    bar_source: dg.ResourceParam[BarSource],
) -> dg.MaterializeResult[None]:
    """Ticker changes as the source records them, in versions."""
    with boundary(context):
        receipt = ingest_ticker_events(bar_source, warehouse, source_name=settings.resolved_source)
    return dg.MaterializeResult(metadata=_metadata(receipt))


@dg.asset(
    key_prefix="ops",
    group_name="universe",
    kinds={"postgres", "python"},
    owners=["team:data"],
    backfill_policy=RANGE,
    deps=[massive__splits, massive__dividends, massive__ticker_events, massive__bars_1d, massive__bars_1m, sessions],
)
def corporate_actions(
    context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]
) -> dg.MaterializeResult[None]:
    """Recorded actions judged against raw prices: accepted ones adjust, suspected and rejected ones never do."""
    with boundary(context):
        receipt = judge_actions(warehouse)
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": receipt.accepted + receipt.suspected + receipt.rejected,
            "accepted": receipt.accepted,
            "suspected": receipt.suspected,
            "rejected": receipt.rejected,
            "new": receipt.changes.new,
            "gone": receipt.changes.gone,
            "doubted": table(receipt.doubted),
        }
    )
