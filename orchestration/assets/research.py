"""Research: the strategy catalogue and one study per strategy."""

import dagster as dg

from chandlery.settings import Settings
from chandlery.steps.research import publish_catalogue, run_strategy_study
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import picture, table
from orchestration.partitions import RANGE, STRATEGIES


@dg.asset(
    key_prefix="research",
    group_name="research",
    kinds={"postgres"},
    owners=["team:research"],
    backfill_policy=RANGE,
)
def strategies(context: dg.AssetExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.MaterializeResult[None]:
    """Catalogue of the strategy definitions; the API lists from here."""
    with boundary(context):
        rows = publish_catalogue(warehouse)
    return dg.MaterializeResult(metadata={"dagster/row_count": len(rows), "preview": table(rows)})


@dg.asset(
    key_prefix="research",
    group_name="research",
    kinds={"optuna", "numba", "postgres"},
    owners=["team:research"],
    deps=[dg.AssetKey(["marts", "prices_daily"]), strategies],
    partitions_def=STRATEGIES,
    backfill_policy=RANGE,
    pool="optimization",
)
def studies(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.MaterializeResult[None]:
    """Optuna study of each strategy on split-adjusted daily prices: trials, best parameters, equity, verdict."""
    with boundary(context):
        receipts = [
            run_strategy_study(warehouse, name, choices=settings.optimize, run_id=context.run.run_id)
            for name in context.partition_keys
        ]
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": sum(receipt.trials for receipt in receipts),
            "symbol": settings.optimize.symbol,
            "studies": table([receipt.summary for receipt in receipts]),
            **{f"metrics_{receipt.strategy}": table(receipt.metrics) for receipt in receipts},
            **{f"equity_{receipt.strategy}": picture(receipt.plot) for receipt in receipts},
        }
    )


WRITTEN_WITH_STUDIES = [
    dg.AssetSpec(
        ["research", "equity"],
        deps=[studies],
        group_name="research",
        kinds={"postgres"},
        owners=["team:research"],
        description="Equity curve of each study beside buy and hold.",
    )
]
