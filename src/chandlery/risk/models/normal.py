"""The normal model: mean and standard deviation of the window say it all."""

from chandlery.measures import Returns
from chandlery.risk.models.gauss import density, quantile
from chandlery.risk.tail import VarModel


def normal_tail(*, mean: float, spread: float, tail: float) -> tuple[float, float]:
    """Return (VaR, ES) of a normal return with that mean and standard deviation at tail probability `tail`."""
    z = quantile(tail)
    return -(mean + z * spread), -mean + spread * density(z) / tail


def _normal(returns: Returns, tail: float) -> tuple[float, float]:
    return normal_tail(mean=float(returns.mean()), spread=float(returns.std(ddof=1)), tail=tail)


NORMAL = VarModel(
    "normal",
    "VaR = -(m + z s), ES = -m + s phi(z)/a; m mean, s sd (ddof 1), z = Phi^-1(a)",
    2,
    _normal,
)
