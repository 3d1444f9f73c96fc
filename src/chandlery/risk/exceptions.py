"""How many exceptions are too many: Kupiec's test, the exact binomial and the Basel zone."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtr, chdtrc, gammaln, xlog1py, xlogy

from chandlery.errors import InvalidInput

Zone = Literal["green", "yellow", "red"]

_TIE = 1.0 + 1e-7


@dataclass(frozen=True, slots=True)
class ExceptionTest:
    """What the number of exceptions says about a VaR forecast.

    Attributes:
        exceptions: days whose loss exceeded VaR, x.
        n: days forecast.
        expected: n a.
        lr: Kupiec's likelihood ratio, >= 0.
        p_chi2: its p-value by chi-squared(1); approximate, shown for comparison.
        p_exact: two-sided binomial p; the one to decide by (at n = 250, a = 1 % the chi-squared test at 5 %
            rejects 9.5 % of correct models).
        zone: Basel traffic light.
    """

    exceptions: int
    n: int
    expected: float
    lr: float
    p_chi2: float
    p_exact: float
    zone: Zone


def count_exceptions(exceptions: int, *, n: int, tail: float) -> ExceptionTest:
    """Test `exceptions` in `n` days against a tail probability `tail` (0.01 for a 99 % VaR).

    Raises:
        InvalidInput: unless 0 <= exceptions <= n, n >= 1 and 0 < tail < 1.
    """
    if not (0 <= exceptions <= n and n >= 1 and 0.0 < tail < 1.0):
        raise InvalidInput(f"Had {exceptions} exceptions in {n} days at tail {tail}; need 0 <= x <= n, 0 < tail < 1.")
    lr = kupiec_pof(exceptions, n=n, tail=tail)
    return ExceptionTest(
        exceptions=exceptions,
        n=n,
        expected=n * tail,
        lr=lr,
        p_chi2=float(chdtrc(1, lr)),
        p_exact=exact_p(exceptions, n=n, tail=tail),
        zone=basel_zone(exceptions, n=n, tail=tail),
    )


def kupiec_pof(exceptions: int, *, n: int, tail: float) -> float:
    """Return -2 ln[(1-p)^(n-x) p^x / ((1-x/n)^(n-x) (x/n)^x)], 0 ln 0 = 0, clamped at 0 (Kupiec 1995)."""
    rate = exceptions / n
    null = xlog1py(n - exceptions, -tail) + xlogy(exceptions, tail)
    best = xlog1py(n - exceptions, -rate) + xlogy(exceptions, rate)
    return max(0.0, float(-2.0 * (null - best)))


def exact_p(exceptions: int, *, n: int, tail: float) -> float:
    """Return the two-sided binomial p: the sum of all probabilities not above that of `exceptions`."""
    k = np.arange(n + 1)
    log_mass = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1) + xlogy(k, tail) + xlog1py(n - k, -tail)
    mass = np.exp(log_mass)
    return min(1.0, float(mass[mass <= mass[exceptions] * _TIE].sum()))


def basel_zone(exceptions: int, *, n: int, tail: float) -> Zone:
    """Return green while the binomial cdf at `exceptions` is < 95 %, yellow < 99.99 %, else red."""
    cumulative = float(bdtr(exceptions, n, tail))
    if cumulative < 0.95:
        return "green"
    return "yellow" if cumulative < 0.9999 else "red"
