"""Volume beside price: flows summed since the first bar, averages weighted by volume since a reset."""

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.operators import div, nz, sign
from chandlery.indicators.oscillators import change
from chandlery.indicators.series import FloatSeries, as_series
from chandlery.indicators.totals import cum, cum_since


def obv(close: ArrayLike, volume: ArrayLike) -> FloatSeries:
    """On-balance volume: volume added on a rise of the close, taken off on a fall; in units of volume, warm-up 1.

    The sign of the move is exact. NaN where the move or the volume is, which adds nothing. Source: Pine's `ta.obv`,
    after Granville (1963).

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    return cum(sign(change(close)) * as_series(volume))


def accdist(high: ArrayLike, low: ArrayLike, close: ArrayLike, volume: ArrayLike) -> FloatSeries:
    """Accumulation/distribution, in units of volume; warm-up 0.

    Each bar adds its volume times where the close lies in its range, -1 at the low to 1 at the high. A bar without
    range or with a NaN adds nothing. Source: Pine's `ta.accdist`, after Chaikin.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    highs, lows, closes = as_series(high), as_series(low), as_series(close)
    place = div((closes - lows) - (highs - closes), highs - lows)
    return cum(nz(place * as_series(volume)))


def vwap(values: ArrayLike, volume: ArrayLike, reset: ArrayLike) -> FloatSeries:
    """Average weighted by volume since the last bar on which `reset` held, in units of `values`; warm-up 0.

    Before the first reset it counts from the first bar. NaN until there is volume; a NaN value must come without
    volume. Source: Pine's `ta.vwap` with an anchor, which is NaN before the first one.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    series, traded = as_series(values), as_series(volume)
    return div(cum_since(series * traded, reset), cum_since(traded, reset))


def vwap_stdev(values: ArrayLike, volume: ArrayLike, reset: ArrayLike) -> FloatSeries:
    """Standard deviation around `vwap`, weighted by volume; everything else as `vwap`.

    Source: the distance of the bands of Pine's `ta.vwap` with a multiplier of 1.

    Raises:
        InvalidInput: for a two-dimensional input.
    """
    series, traded = as_series(values), as_series(volume)
    mean = vwap(series, traded, reset)
    squares = div(cum_since(series * series * traded, reset), cum_since(traded, reset))
    return np.sqrt(np.maximum(squares - mean * mean, 0.0))
