"""A portfolio as YAML, read strictly: every fault is listed at once, nothing is guessed."""

import math
from dataclasses import replace
from pathlib import Path

from chandlery.errors import ConfigError, InvalidInput
from chandlery.market.symbols import parse_symbol
from chandlery.portfolio.portfolio import Portfolio, Position
from chandlery.portfolio.yaml_text import read_yaml
from chandlery.risk.limits import DEFAULT_LIMITS, SOFT_SHARE, Limit

_KEYS = ("name", "currency", "cash", "positions", "limits", "benchmark")
_CURRENCY = "USD"
_LONGEST_NAME = 120


def load_portfolio(source: str | Path) -> Portfolio:
    """Read a portfolio from YAML text, or from the file at a `Path`.

    Keys: `name` and `positions` (list of `symbol`, `quantity`) are required; `currency` (USD), `cash` (0),
    `limits` (`R03: {hard: 0.4, soft: 0.3}`; soft defaults to 80 % of hard) and `benchmark` (none) are not.

    Raises:
        ConfigError: one message listing every fault: unknown or repeated keys, symbols twice, quantities that are
            zero or not finite, limits out of order.
    """
    document = read_yaml(source, what="A portfolio")
    faults: list[str] = []
    top = _mapping(document, "the portfolio", keys=_KEYS, faults=faults)
    portfolio = Portfolio(
        name=_name(top, faults),
        currency=_currency(top, faults),
        cash=_number(top.get("cash", 0), "cash", faults=faults),
        positions=_positions(top.get("positions"), faults),
        limits=_limits(top.get("limits"), faults),
        benchmark=None if top.get("benchmark") is None else _symbol(top["benchmark"], "benchmark", faults=faults),
    )
    if faults:
        listed = "\n".join(f"  {fault}" for fault in faults)
        place = f"file {source}" if isinstance(source, Path) else "the text given"
        raise ConfigError(f"A portfolio was read from {place}; these are wrong:\n{listed}")
    return portfolio


def _mapping(value: object, where: str, *, keys: tuple[str, ...], faults: list[str]) -> dict[str, object]:
    if not isinstance(value, dict):
        faults.append(f"{where}: was {_shown(value)}; must be a mapping with {', '.join(keys)}")
        return {}
    faults.extend(f"{where}: unknown key {key!r}; known are {', '.join(keys)}" for key in value if key not in keys)
    return {key: item for key, item in value.items() if key in keys}


def _name(top: dict[str, object], faults: list[str]) -> str:
    name = top.get("name")
    if not isinstance(name, str) or not name.strip() or len(name) > _LONGEST_NAME or not name.isprintable():
        faults.append(f"name: was {_shown(name)}; must be 1 to {_LONGEST_NAME} printable characters")
        return ""
    return name.strip()


def _currency(top: dict[str, object], faults: list[str]) -> str:
    currency = top.get("currency", _CURRENCY)
    if currency != _CURRENCY:
        faults.append(f"currency: was {_shown(currency)}; only {_CURRENCY}, for no exchange rates are loaded")
    return _CURRENCY


def _positions(value: object, faults: list[str]) -> tuple[Position, ...]:
    if not isinstance(value, list) or not value:
        faults.append(f"positions: was {_shown(value)}; must be a list of at least one symbol and quantity")
        return ()
    positions: dict[str, Position] = {}
    for place, entry in enumerate(value, start=1):
        where = f"positions[{place}]"
        row = _mapping(entry, where, keys=("symbol", "quantity"), faults=faults)
        if not isinstance(entry, dict):
            continue
        symbol = _symbol(row.get("symbol"), f"{where}.symbol", faults=faults)
        quantity = _number(row.get("quantity"), f"{where}.quantity", faults=faults)
        if quantity == 0.0 and _is_number(row.get("quantity")):
            faults.append(f"{where}.quantity: was 0; leave the position out")
        if symbol in positions:
            faults.append(f"{where}.symbol: {symbol} is already listed; give each symbol once")
        if symbol:
            positions[symbol] = Position(symbol, quantity)
    return tuple(positions.values())


def _limits(value: object, faults: list[str]) -> tuple[Limit, ...]:
    if value is None:
        return DEFAULT_LIMITS
    known = tuple(limit.limit_id for limit in DEFAULT_LIMITS)
    overrides = _mapping(value, "limits", keys=known, faults=faults)
    return tuple(
        _override(limit, overrides[limit.limit_id], faults) if limit.limit_id in overrides else limit
        for limit in DEFAULT_LIMITS
    )


def _override(limit: Limit, value: object, faults: list[str]) -> Limit:
    where = f"limits.{limit.limit_id}"
    before = len(faults)
    row = _mapping(value, where, keys=("hard", "soft"), faults=faults)
    if isinstance(value, dict) and not row:
        faults.append(f"{where}: names neither hard nor soft")
    hard = _number(row["hard"], f"{where}.hard", faults=faults) if "hard" in row else limit.hard
    soft = _number(row["soft"], f"{where}.soft", faults=faults) if "soft" in row else SOFT_SHARE * hard
    if len(faults) > before:
        return limit
    try:
        return replace(limit, hard=hard, soft=soft)
    except InvalidInput:
        faults.append(f"{where}: soft was {soft:g}, hard was {hard:g}; need 0 < soft <= hard")
        return limit


def _symbol(value: object, where: str, *, faults: list[str]) -> str:
    try:
        return parse_symbol(value if isinstance(value, str) else "")
    except InvalidInput:
        faults.append(
            f"{where}: was {_shown(value)}; a symbol is 1 to 32 of A-Z 0-9 . : _ - in quotes if YAML needs it"
        )
        return ""


def _is_number(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number beyond every float
        return False


def _number(value: object, where: str, *, faults: list[str]) -> float:
    if isinstance(value, int | float) and _is_number(value):
        return float(value)
    faults.append(f"{where}: was {_shown(value)}; must be a finite number")
    return 0.0


def _shown(value: object) -> str:
    text = "absent" if value is None else repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
