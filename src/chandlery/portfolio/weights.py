"""Equal weights: the portfolio to beat, and the one used when none is given."""

import math
from collections.abc import Mapping

from chandlery.errors import InvalidInput
from chandlery.portfolio.portfolio import Portfolio, Position


def equal_weight_book(
    prices: Mapping[str, float | None], *, capital: float = 100_000.0, name: str = "Equal weight"
) -> Portfolio:
    """Split `capital` equally over the symbols that have a price, in whole shares; the rest stays cash.

    `prices` maps symbol to its latest price; None means no price and leaves the symbol out. Positions are sorted
    by symbol, so the order of `prices` does not matter. A share dearer than its part leaves that part in cash.

    Raises:
        InvalidInput: when capital is not positive, a price is not positive and finite, no symbol has a price, or
            the capital buys no share at all.
    """
    if not (math.isfinite(capital) and capital > 0.0):
        raise InvalidInput(f"Capital was {capital}; it must be positive and finite.")
    usable = {symbol: price for symbol, price in sorted(prices.items()) if price is not None}
    bad = [symbol for symbol, price in usable.items() if not (math.isfinite(price) and price > 0.0)]
    if bad:
        raise InvalidInput(f"Prices of {', '.join(bad)} were not positive and finite; give None where there is none.")
    if not usable:
        raise InvalidInput(f"Equal weights were asked over {len(prices)} symbols; none has a price. Ingest bars first.")
    part = capital / len(usable)
    shares = {symbol: math.floor(part / price) for symbol, price in usable.items()}
    positions = tuple(Position(symbol, float(count)) for symbol, count in shares.items() if count > 0)
    if not positions:
        raise InvalidInput(f"A part of {part:.2f} buys no share of {', '.join(usable)}; raise the capital.")
    spent = math.fsum(usable[position.symbol] * position.quantity for position in positions)
    return Portfolio(name=name, currency="USD", cash=capital - spent, positions=positions)
