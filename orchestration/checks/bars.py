"""Checks of bars beyond the gate: nothing was left behind."""

import dagster as dg

from chandlery.steps.quality import standing_windows
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import table


def _no_window_left_failed(timeframe: str) -> dg.AssetChecksDefinition:
    @dg.asset_check(
        asset=dg.AssetKey(["raw", f"massive__bars_{timeframe}"]),
        name="no_window_left_failed",
        description="No window's last attempt failed or was held; a rerun of its days brings it in.",
    )
    def check(context: dg.AssetCheckExecutionContext, warehouse: dg.ResourceParam[Warehouse]) -> dg.AssetCheckResult:
        with boundary(context):
            standing = standing_windows(warehouse, timeframe)
        return dg.AssetCheckResult(
            passed=standing.worries == 0,
            severity=dg.AssetCheckSeverity.WARN,
            metadata={"windows": table(standing.rows)},
        )

    return check


NO_WINDOW_LEFT_FAILED = [_no_window_left_failed(timeframe) for timeframe in ("1m", "1d")]
