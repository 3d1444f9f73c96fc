"""How numbers, times and names read. Only here does a fraction become a percentage."""

from collections.abc import Mapping

NONE = "\u2013"
_MINUS = "\u2212"
_BREAK = "\u200b"
"""Where a long name may be broken without a hyphen."""
_LONG = 28
_DAYS = ("d", "w", "M")


def number(value: float | None, unit: str) -> str:
    """Return a figure in the form its unit asks for; a dash without value."""
    if value is None:
        return NONE
    if unit in {"fraction", "fraction_pa"}:
        return signed(f"{100.0 * value:,.1f} %")
    if unit == "count":
        return signed(f"{value:,.0f}")
    if unit == "probability":
        return "< 0.001" if 0.0 <= value < 0.001 else "> 0.999" if 0.999 < value <= 1.0 else f"{value:.3f}"
    return signed(f"{value:.4f}" if unit == "sharpe" else f"{value:,.2f}")


def price(value: float | None) -> str:
    """Return a price with two decimals, below 1 with four."""
    if value is None:
        return NONE
    return f"{value:,.2f}" if abs(value) >= 1.0 else f"{value:,.4f}"


def signed(text: str) -> str:
    """Return a number with a true minus sign, and zero without one."""
    if text.startswith("-") and not any(digit in text for digit in "123456789"):
        return text[1:]
    return text.replace("-", _MINUS)


def settings(params: Mapping[str, float]) -> str:
    """Return parameters as `fast 10, slow 50`."""
    return ", ".join(f"{breakable(name)} {signed(f'{value:g}')}" for name, value in params.items()) or "none"


def moment(stamp: str | None, timeframe: str) -> str:
    """Return an instant of the document as a day, with the minute for bars shorter than a day."""
    if stamp is None:
        return NONE
    return stamp[:10] if timeframe.endswith(_DAYS) else f"{stamp[:10]} {stamp[11:16]}"


def breakable(name: str) -> str:
    """Return a name that a narrow column can break: after underscores, and anywhere in a very long word."""
    if len(name) <= _LONG:
        return name
    parts = name.replace("_", f"_{_BREAK}").split(_BREAK)
    return _BREAK.join(
        _BREAK.join(part[at : at + _LONG] for at in range(0, max(len(part), 1), _LONG)) for part in parts
    )


def whole(sentence: str) -> str:
    """Return a sentence whose numbers are not parted from their percent sign at the end of a line."""
    return sentence.replace(" %", "\u00a0%")
