"""Top of the page: title, warnings and headline figures."""

from chandlery.reports.risk.page.markup import badge, text
from chandlery.reports.risk.page.numbers import amount, quantity, shown
from chandlery.reports.risk.schema import Figure, RiskReport

_MOST_NAMES = 12


def title(report: RiskReport) -> str:
    """Return the heading with as-of date and data grade."""
    summary = report["summary"]
    return (
        f"<header><div><h1>{text(report['portfolio']['name'])}</h1>"
        f"<p>Risk report as of the close of {text(report['as_of'])}, in {text(report['currency'])}</p></div>"
        f"<p>Data grade {badge(summary['grade'])} {text(summary['grade_reason'])}</p></header>"
    )


def banners(report: RiskReport) -> str:
    """Return warnings a reader must not miss; empty when there are none."""
    summary = report["summary"]
    lines = []
    if summary["simulated"]:
        names = _few(summary["simulated"])
        lines.append(f"Simulated prices, not market data: {names}. Figures that include them describe no real risk.")
    if summary["limits_hard"]:
        breached = ", ".join(row["limit_id"] for row in report["limits"] if row["state"] == "hard")
        lines.append(f"Hard limits breached: {breached}.")
    if summary["limits_unknown"]:
        unknown = ", ".join(row["limit_id"] for row in report["limits"] if row["state"] == "unknown")
        lines.append(f"Limits that could not be evaluated: {unknown}.")
    return "".join(f'<p class="banner" role="alert">{text(line)}</p>' for line in lines)


def cards(report: RiskReport) -> str:
    """Return the headline figures."""
    summary, nav = report["summary"], report["summary"]["nav"]["value"]
    items = [
        _card("Net asset value", shown(summary["nav"], "currency"), _holding(report)),
        _card("P&L of the day", shown(summary["day_pnl"], "currency"), shown(summary["day_return"], "fraction")),
        _card("VaR 99%, one day", shown(summary["var99"], "fraction"), _money(summary["var99"], nav)),
        _card("Expected shortfall 97.5%", shown(summary["es975"], "fraction"), _money(summary["es975"], nav)),
        _card("Drawdown now", shown(summary["dd_now"], "fraction"), f"deepest {shown(summary['dd_max'], 'fraction')}"),
        _card("Volatility a year", shown(summary["vol"], "fraction"), f"{summary['vol']['n']:,} returns"),
        _card(
            "Sharpe ratio",
            shown(summary["sharpe"], "ratio"),
            f"{shown(summary['hit_rate'], 'fraction')} of days up",
        ),
        _card(
            "Leverage",
            shown(summary["leverage"], "ratio"),
            f"largest position {shown(summary['concentration'], 'fraction')}",
        ),
    ]
    return f'<div class="cards">{"".join(items)}</div>'


def _card(label: str, figure: str, under: str) -> str:
    return (
        f'<div class="card"><div class="label">{text(label)}</div>'
        f'<div class="figure">{figure}</div><div class="under">{under}</div></div>'
    )


def _few(names: list[str]) -> str:
    more = len(names) - _MOST_NAMES
    return ", ".join(names[:_MOST_NAMES]) + (f" and {more} more" if more > 0 else "")


def _holding(report: RiskReport) -> str:
    count, cash = report["summary"]["positions"], report["portfolio"]["cash"]
    return text(f"{quantity(count)} position{'' if count == 1 else 's'}, cash {amount(cash)}")


def _money(share: Figure, nav: float | None) -> str:
    if share["value"] is None or nav is None:
        return "historical simulation"
    return text(f"{amount(share['value'] * nav)}, historical simulation")
