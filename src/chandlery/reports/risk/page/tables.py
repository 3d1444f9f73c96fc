"""The tables of the page."""

from chandlery.reports.risk.page.labels import LIMITS, METRICS, MODELS, label
from chandlery.reports.risk.page.markup import badge, section, table, text
from chandlery.reports.risk.page.numbers import (
    by_unit,
    optional,
    percent,
    probability,
    quantity,
    shown,
    status_word,
)
from chandlery.reports.risk.schema import Figure, LimitRow, MetricRow, RiskReport, VarRow

_TOP = 10


def limits(report: RiskReport) -> str:
    """Return the limits with the share used and the state of each."""
    rows = [
        [
            text(row["limit_id"]),
            text(label(LIMITS, row["metric"])),
            badge(row["state"]),
            _limit_value(row, row["value"]),
            _use(row),
            _limit_value(row, row["soft"]),
            _limit_value(row, row["hard"]),
            text(row["on_breach"]),
        ]
        for row in report["limits"]
    ]
    headings = ("Limit", "Metric", "State", "Value", "Used", "Soft", "Hard", "On breach")
    return section("Limits", table(headings, rows, words=3), note="A value above the hard limit is a breach.")


def value_at_risk(report: RiskReport) -> str:
    """Return VaR and ES by model and level."""
    levels = sorted({row["level"] for row in report["var"]})
    models = list(dict.fromkeys(row["model"] for row in report["var"]))
    found = {(row["model"], row["level"]): row for row in report["var"]}
    headings = ["Model", *(f"{word} {percent(level, digits=1)}" for level in levels for word in ("VaR", "ES"))]
    rows = [
        [text(label(MODELS, model)), *(cell for level in levels for cell in _tail_cells(found.get((model, level))))]
        for model in models
    ]
    window = report["lineage"]["parameters"]["window"]
    note = f"Loss of one day as share of NAV, and in {report['currency']}, from the last {window} returns at most."
    return section("VaR and expected shortfall", table(headings, rows), note=note)


def backtests(report: RiskReport, *, chart: str) -> str:
    """Return the backtest box: what was forecast, what happened, and the verdict."""
    rows = [
        [
            text(label(MODELS, row["model"])),
            percent(row["level"], digits=1),
            badge(row["verdict"]) if row["verdict"] else status_word(row["status"]),
            badge(row["zone"]) if row["zone"] else status_word("-"),
            f"{row['exceptions']} of {row['n']}" if row["exceptions"] is not None else status_word("-"),
            optional(row["expected"], "ratio"),
            probability(row["pof_p_exact"]),
            probability(row["pof_p_chi2"]),
        ]
        for row in report["backtests"]
    ]
    headings = ("Model", "Level", "Verdict", "Basel zone", "Exceptions", "Expected", "Exact p", "Kupiec p")
    summary = report["summary"]
    note = (
        f"{summary['backtest_tests']} tests at 5%: {summary['false_alarms_expected']:.1f} false alarms expected if all "
        "models were right. The exact p decides."
    )
    return section("Backtest of VaR", chart, table(headings, rows, words=4), note=note)


def contributors(report: RiskReport) -> str:
    """Return the positions that carry most of the tail loss."""
    shown_rows = report["contributors"][:_TOP]
    rows = [
        [
            text(row["symbol"]),
            text(row["source"]),
            quantity(row["quantity"]),
            optional(row["price"], "ratio"),
            optional(row["value"], "currency"),
            optional(row["weight"], "fraction"),
            optional(row["day_pnl"], "currency"),
            optional(row["component_es"], "fraction"),
            optional(row["share_of_es"], "fraction"),
        ]
        for row in shown_rows
    ]
    headings = ("Symbol", "Source", "Quantity", "Price", "Value", "Weight", "P&L of day", "ES 97.5%", "Share of ES")
    more = len(report["contributors"]) - len(shown_rows)
    note = f"{more} smaller positions are in the JSON." if more else ""
    return section("Top contributors", table(headings, rows, words=2), note=note)


def metrics(report: RiskReport) -> str:
    """Return all measures of the hypothetical history."""
    rows = [
        [
            text(label(METRICS, row["id"])),
            text(row["group"]),
            _metric_value(row),
            text(f"{row['n']:,}"),
            text(", ".join(row["flags"])) or text(row["status"]),
        ]
        for row in report["metrics"]
    ]
    headings = ("Measure", "Group", "Value", "n", "Status")
    note = "Of the present book on past sessions, price returns."
    return section("Measures", table(headings, rows, words=2), note=note)


def _metric_value(row: MetricRow) -> str:
    figure: Figure = {"value": row["value"], "status": row["status"], "n": row["n"]}
    return shown(figure, row["unit"])


def _tail_cells(row: VarRow | None) -> tuple[str, str]:
    if row is None:
        return status_word("-"), status_word("-")
    return _tail_cell(row["var"], row["var_amount"]), _tail_cell(row["es"], row["es_amount"])


def _tail_cell(figure: Figure, amount: float | None) -> str:
    below = "" if amount is None else f"<small>{by_unit(amount, 'currency')}</small>"
    return shown(figure, "fraction") + below


def _limit_value(row: LimitRow, value: float | None) -> str:
    unit = "ratio" if row["metric"] == "leverage" else row["unit"]
    return optional(value, unit)


def _use(row: LimitRow) -> str:
    share = row["utilisation"]
    if share is None:
        return status_word("-")
    width = min(100.0, 100.0 * share)
    return f'<span class="bar {text(row["state"])}"><i style="width:{width:.1f}%"></i></span>{percent(share, digits=1)}'
