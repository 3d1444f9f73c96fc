"""Cornish-Fisher VaR and modified ES: the normal quantile bent by skew and kurtosis."""

from chandlery.measures import Returns, Status
from chandlery.measures.dispersion import standardised
from chandlery.risk.models.gauss import density, distribution, quantile
from chandlery.risk.tail import VarModel


def expansion(z: float, *, skew: float, kurtosis: float) -> float:
    """Return h(z) = z + (z^2-1)S/6 + (z^3-3z)K/24 - (2z^3-5z)S^2/36, K excess (Favre & Galeano 2002)."""
    return z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * skew**2 / 36


def is_monotone(z: float, *, skew: float, kurtosis: float) -> bool:
    """Return whether h rises on all of [z, -z], z < 0; outside that the expansion is no quantile map."""
    square = kurtosis / 8 - skew**2 / 6
    linear = skew / 3
    constant = 1 - kurtosis / 8 + 5 * skew**2 / 36
    points = [z, -z]
    if square > 0.0 and abs(linear) < -2 * square * z:
        points.append(-linear / (2 * square))
    return min(square * y**2 + linear * y + constant for y in points) > 0.0


def modified_es(h: float, *, skew: float, kurtosis: float, tail: float) -> float:
    """Return E: minus the mean of the Edgeworth density under its `tail` quantile h, times 1 (standardised).

    Boudt, Peterson & Croux (2008), with J_k = h^k phi(h) + k J_{k-2} = -(integral of x^(k+1) phi up to h).
    """
    phi = density(h)
    j = {-1: -distribution(h), 0: phi}
    for k in range(1, 7):
        j[k] = h**k * phi + k * j[k - 2]
    third = (j[3] - 3 * j[1]) * skew / 6
    fourth = (j[4] - 6 * j[2] + 3 * j[0]) * kurtosis / 24
    sixth = (j[6] - 15 * j[4] + 45 * j[2] - 15 * j[0]) * skew**2 / 72
    return (j[0] + fourth + third + sixth) / tail


def _cornish_fisher(returns: Returns, tail: float) -> tuple[float, float] | Status:
    scores = standardised(returns)
    if scores is None:
        return Status.ZERO_VARIANCE
    mean, spread = float(returns.mean()), float(returns.std())
    skew, kurtosis = float((scores**3).mean()), float((scores**4).mean()) - 3.0
    z = quantile(tail)
    if not is_monotone(z, skew=skew, kurtosis=kurtosis):
        return Status.NON_MONOTONE
    h = expansion(z, skew=skew, kurtosis=kurtosis)
    var = -mean - h * spread
    return var, max(-mean + spread * modified_es(h, skew=skew, kurtosis=kurtosis, tail=tail), var)


CORNISH_FISHER = VarModel(
    "cornish_fisher",
    "h = z + (z^2-1)S/6 + (z^3-3z)K/24 - (2z^3-5z)S^2/36; VaR = -m - h s, population moments, K excess "
    "(Favre & Galeano 2002); ES after Boudt, Peterson & Croux (2008), never under VaR",
    2,
    _cornish_fisher,
)
