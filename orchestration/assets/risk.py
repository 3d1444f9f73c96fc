"""Risk: one report per portfolio."""

import dagster as dg

from chandlery.settings import Settings
from chandlery.steps.risk import report_risk
from chandlery.store.warehouse import Warehouse
from orchestration.failures import boundary
from orchestration.metadata import Materialized, picture, table


@dg.asset(
    key_prefix="research",
    group_name="risk",
    kinds={"postgres", "python"},
    owners=["team:risk"],
    deps=[dg.AssetKey(["marts", "prices_daily"])],
    check_specs=[
        dg.AssetCheckSpec(
            "no_hard_limit_is_breached",
            asset=dg.AssetKey(["research", "risk_reports"]),
            description="Every limit of the portfolio is at or under its hard value.",
        ),
        dg.AssetCheckSpec(
            "no_soft_limit_is_breached",
            asset=dg.AssetKey(["research", "risk_reports"]),
            description="Every limit of the portfolio is at or under its soft value (80 % of the hard one).",
        ),
    ],
)
def risk_reports(
    context: dg.AssetExecutionContext,
    settings: dg.ResourceParam[Settings],
    warehouse: dg.ResourceParam[Warehouse],
) -> Materialized:
    """Report of the portfolio: VaR and ES, volatility, drawdown, Sharpe, limits; JSON and one HTML file."""
    with boundary(context):
        receipt = report_risk(
            warehouse,
            portfolio_file=settings.risk.portfolio,
            window=settings.risk.window,
            run_id=context.run.run_id,
        )
    limits = table(receipt.limits)
    return Materialized(
        metadata={
            "dagster/row_count": 1,
            "report_id": receipt.report_id,
            "portfolio": receipt.portfolio,
            "as_of": receipt.as_of.isoformat(),
            "figures": table(receipt.figures),
            "limits": limits,
            "drawdown": picture(receipt.plot),
        },
        check_results=[
            dg.AssetCheckResult(
                check_name=f"no_{level}_limit_is_breached",
                passed=not breached,
                severity=severity,
                metadata={"limits": limits, "breached": ", ".join(breached) or "none"},
            )
            for level, breached, severity in (
                ("hard", receipt.hard, dg.AssetCheckSeverity.ERROR),
                ("soft", receipt.soft, dg.AssetCheckSeverity.WARN),
            )
        ],
    )
