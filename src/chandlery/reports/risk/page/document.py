"""The whole page."""

from itertools import groupby

from chandlery.reports.risk.page import charts, headline, tables
from chandlery.reports.risk.page.markup import pairs, section, text
from chandlery.reports.risk.page.style import STYLE
from chandlery.reports.risk.schema import RiskReport


def render_html(report: RiskReport) -> str:
    """Return the page of `report`: one file, no script, no outside reference, under 400 kB.

    Reads nothing but the document, so a stored JSON renders to the same page as a fresh one.
    """
    heading = text(f"{report['portfolio']['name']}: risk as of {report['as_of']}")
    body = "".join(
        (
            headline.title(report),
            headline.banners(report),
            headline.cards(report),
            tables.limits(report),
            f'<div class="halves">{charts.equity(report)}{charts.drawdown(report)}</div>',
            tables.value_at_risk(report),
            tables.backtests(report, chart=charts.backtest(report)),
            tables.contributors(report),
            f'<div class="halves">{tables.metrics(report)}{_gaps(report)}</div>',
            _definitions(report),
            _lineage(report),
        )
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>\n"
    )


def _gaps(report: RiskReport) -> str:
    return section("Not computed, and why", pairs([(text(row["item"]), text(row["reason"])) for row in report["gaps"]]))


def _definitions(report: RiskReport) -> str:
    parts = []
    for group, rows in groupby(report["definitions"], key=lambda row: row["group"]):
        entries = [(f"<code>{text(row['id'])}</code>", f"<code>{text(row['formula'])}</code>") for row in rows]
        parts.append(f"<h3>{text(group[0].upper() + group[1:])}</h3>{pairs(entries)}")
    note = "r simple return, n count, P periods a year, f risk-free and MAR per period, a tail probability."
    return section("Definitions", *parts, note=note).replace("<section>", '<section class="long">', 1)


def _lineage(report: RiskReport) -> str:
    lineage, parameters = report["lineage"], report["lineage"]["parameters"]
    levels = ", ".join(f"{level:g}" for level in parameters["levels"])
    versions = ", ".join(f"{name} {version}" for name, version in lineage["data_versions"].items())
    by_source: dict[str, list[str]] = {}
    for symbol, source in sorted(lineage["sources"].items()):
        by_source.setdefault(source, []).append(symbol)
    sources = "; ".join(f"{source}: {', '.join(symbols)}" for source, symbols in by_source.items())
    rows = [
        ("Report", f"<code>{text(report['report_id'])}</code>"),
        ("Code", text(lineage["code_version"])),
        ("Data versions", text(versions or "none given")),
        ("Sources", text(sources or "none")),
        ("Prices, SHA-256", f"<code>{text(lineage['prices_sha256'])}</code>"),
        ("Sessions", text(f"{lineage['first_session']} to {lineage['last_session']}, {lineage['sessions']:,}")),
        (
            "Parameters",
            text(
                f"P {parameters['periods_per_year']:g}, f {parameters['risk_free']:g}, MAR {parameters['mar']:g}, "
                f"levels {levels}, window {parameters['window']}, backtest {parameters['backtest_days']} days, "
                f"history {parameters['history_sessions']} sessions, seed {lineage['seed']}"
            ),
        ),
    ]
    note = "The same lineage gives the same bytes."
    return section("Lineage", pairs(rows), note=note)
