"""How numbers read. Only here does a fraction become a percentage."""

from chandlery.reports.risk.page.markup import text
from chandlery.reports.risk.schema import Figure


def percent(value: float, *, digits: int = 2) -> str:
    """Return a fraction as a percentage."""
    return f"{value:.{digits}%}"


def amount(value: float) -> str:
    """Return an amount with thousands separators; cents only under 1,000."""
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.2f}"


def quantity(value: float) -> str:
    """Return a quantity without needless decimals."""
    return f"{value:,.0f}" if value == round(value) else f"{value:,.4f}".rstrip("0")


def by_unit(value: float, unit: str) -> str:
    """Return `value` in the form its unit asks for."""
    if unit in {"fraction", "fraction_pa"}:
        return percent(value)
    if unit == "currency":
        return amount(value)
    return f"{value:,.0f}" if unit == "periods" else f"{value:.2f}"


def status_word(status: str) -> str:
    """Return a status as muted HTML, in place of a value."""
    return f'<span class="lack">{text(status.replace("_", " "))}</span>'


def shown(figure: Figure, unit: str) -> str:
    """Return a figure as HTML: its value, marked when proxied, or its status."""
    if figure["value"] is None:
        return status_word(figure["status"])
    mark = '<span class="lack"> proxied</span>' if figure["status"] == "proxied" else ""
    return by_unit(figure["value"], unit) + mark


def optional(value: float | None, unit: str) -> str:
    """Return a value as HTML, or a dash for null."""
    return '<span class="lack">-</span>' if value is None else by_unit(value, unit)


def probability(value: float | None) -> str:
    """Return a p-value with three decimals, small ones as an upper bound."""
    if value is None:
        return '<span class="lack">-</span>'
    return "&lt; 0.001" if value < 0.001 else f"{value:.3f}"
