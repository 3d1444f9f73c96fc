"""Research: the strategy catalogue and one study per strategy."""

import dagster as dg

from chandlery.settings import Settings
from chandlery.steps.research import publish_catalogue, run_strategy_study
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import picture, table
from orchestration.partitions import STRATEGIES


@dg.asset(key_prefix="research", group_name="research", kinds={"postgres"}, owners=["team:research"])
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
    pool="optimization",
)
def studies(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> dg.MaterializeResult[None]:
    """Optuna study of one strategy on split-adjusted daily prices: trials, best parameters, equity, verdict."""
    with boundary(context):
        receipt = run_strategy_study(
            warehouse, context.partition_key, choices=settings.optimize, run_id=context.run.run_id
        )
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": receipt.trials,
            "symbol": receipt.symbol,
            "method": receipt.method,
            "best": table(receipt.best),
            "metrics": table(receipt.metrics),
            "verdict": receipt.verdict,
            "equity": picture(receipt.plot),
        }
    )
