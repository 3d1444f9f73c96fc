"""A book: positions at prices, and what follows from them alone."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from chandlery.errors import InvalidInput
from chandlery.measures import Measured, Status, known, unknown

Amounts = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Book:
    """Positions valued at one moment, in one currency.

    Attributes:
        symbols: assets, in the order of the arrays.
        quantities: signed quantities [assets].
        prices: prices [assets], NaN where there is none.
        values: quantity x price [assets], NaN without price, 0 for a quantity of 0.
        weights: value / NAV [assets], signed; all NaN when NAV is unknown or not positive.
        nav: cash + net.
        gross: sum of |value|.
        net: sum of value.
        leverage: gross / NAV.
        concentration: largest |value| / NAV.
        position_value: largest |value|.

    One position without a price makes every sum `missing_input`: a book is not worth less because a price is
    late. With NAV <= 0 leverage, concentration and weights are `infeasible`. `n` counts priced positions.
    """

    symbols: tuple[str, ...]
    quantities: Amounts
    prices: Amounts
    values: Amounts
    weights: Amounts
    cash: float
    nav: Measured
    gross: Measured
    net: Measured
    leverage: Measured
    concentration: Measured
    position_value: Measured


def value_book(symbols: tuple[str, ...], *, quantities: Amounts, prices: Amounts, cash: float) -> Book:
    """Value signed `quantities` [assets] at `prices` [assets] (NaN = no price) and add `cash`.

    Raises:
        InvalidInput: when lengths differ, a quantity or the cash is not finite, or a price is not positive.
    """
    quantities = np.asarray(quantities, dtype=np.float64)
    prices = np.asarray(prices, dtype=np.float64)
    _check(symbols, quantities=quantities, prices=prices, cash=cash)
    values = np.where(quantities == 0.0, 0.0, quantities * prices)
    priced = np.isfinite(values)
    n = int(priced.sum())
    if not priced.all():
        lack = unknown(Status.MISSING_INPUT, n=n)
        nav = gross = net = largest = lack
    else:
        sizes = np.abs(values)
        net = known(float(values.sum()), n=n)
        nav = known(cash + float(values.sum()), n=n)
        gross = known(float(sizes.sum()), n=n)
        largest = known(float(sizes.max(initial=0.0)), n=n)
    worth = nav.value if nav.value is not None and nav.value > 0.0 else np.nan
    return Book(
        symbols=symbols,
        quantities=quantities,
        prices=prices,
        values=values,
        weights=values / worth,
        cash=cash,
        nav=nav,
        gross=gross,
        net=net,
        leverage=_share(gross, nav),
        concentration=_share(largest, nav),
        position_value=largest,
    )


def _share(part: Measured, nav: Measured) -> Measured:
    if part.value is None or nav.value is None:
        return unknown(Status.MISSING_INPUT, n=part.n)
    return known(part.value / nav.value, n=part.n) if nav.value > 0.0 else unknown(Status.INFEASIBLE, n=part.n)


def _check(symbols: tuple[str, ...], *, quantities: Amounts, prices: Amounts, cash: float) -> None:
    if quantities.shape != (len(symbols),) or prices.shape != (len(symbols),):
        raise InvalidInput(
            f"There were {len(symbols)} symbols, quantities {quantities.shape}, prices {prices.shape}; "
            "all must have one entry per symbol."
        )
    if not (np.isfinite(quantities).all() and np.isfinite(cash)):
        raise InvalidInput("A quantity or the cash was not finite.")
    bad = [symbol for symbol, price in zip(symbols, prices, strict=True) if price <= 0.0 or np.isinf(price)]
    if bad:
        raise InvalidInput(f"Prices of {', '.join(bad)} were not positive and finite; a missing price is NaN.")
