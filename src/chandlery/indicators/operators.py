"""Operators bar by bar, on series or numbers, with Pine's tolerance and `na`.

Differences of at most `TOLERANCE` (absolute) count as equal. NaN propagates through arithmetic and makes every
comparison false, `ne` included. Division by zero answers NaN, as Pine's `na`.
"""

import math

import numpy as np
from numpy.typing import ArrayLike

from chandlery.indicators.series import BoolSeries, FloatSeries
from chandlery.indicators.spec import CONDITIONS, PAIR, OpSpec, Reference, Role, Scalar, no_bars, signal

TOLERANCE = 1e-10


def _floats(values: ArrayLike) -> FloatSeries:
    return np.asarray(values, dtype=np.float64)


def add(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Sum."""
    return _floats(first) + _floats(second)


def sub(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Difference."""
    return _floats(first) - _floats(second)


def mul(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Product."""
    return _floats(first) * _floats(second)


def div(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Quotient; NaN where the divisor is zero. The quotient of two whole numbers keeps its fraction (Pine v6)."""
    divisor = _floats(second)
    return _floats(first) / np.where(divisor == 0.0, np.nan, divisor)


def absolute(values: ArrayLike) -> FloatSeries:
    """Magnitude."""
    return np.abs(_floats(values))


def floor(values: ArrayLike) -> FloatSeries:
    """Largest whole number not above the value."""
    return np.floor(_floats(values))


def minimum(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Smaller of two; NaN where either is."""
    return np.minimum(_floats(first), _floats(second))


def maximum(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Larger of two; NaN where either is."""
    return np.maximum(_floats(first), _floats(second))


def nz(values: ArrayLike, replacement: ArrayLike = 0.0) -> FloatSeries:
    """The value, or `replacement` where it is NaN."""
    series = _floats(values)
    return np.where(np.isnan(series), _floats(replacement), series)


def where(condition: ArrayLike, first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """`first` where the condition holds, else `second`."""
    return np.where(np.asarray(condition, dtype=np.bool_), _floats(first), _floats(second))


def gt(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Above, by more than the tolerance."""
    return sub(first, second) > TOLERANCE


def ge(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Above or equal within the tolerance."""
    return sub(first, second) >= -TOLERANCE


def lt(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Below, by more than the tolerance."""
    return sub(first, second) < -TOLERANCE


def le(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Below or equal within the tolerance."""
    return sub(first, second) <= TOLERANCE


def eq(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Equal within the tolerance."""
    return np.abs(sub(first, second)) <= TOLERANCE


def ne(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Different by more than the tolerance; false where either is NaN."""
    return np.abs(sub(first, second)) > TOLERANCE


def logical_and(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """Both."""
    return np.logical_and(first, second)


def logical_or(first: ArrayLike, second: ArrayLike) -> BoolSeries:
    """At least one."""
    return np.logical_or(first, second)


def logical_not(condition: ArrayLike) -> BoolSeries:
    """The opposite."""
    return np.logical_not(condition)


def modulo(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Remainder of the truncated quotient: it has the sign of `first`, so -7 and 3 give -1; NaN where `second` is 0."""
    with np.errstate(invalid="ignore"):
        return np.fmod(_floats(first), _floats(second))


def sign(values: ArrayLike) -> FloatSeries:
    """Sign: -1, 0 or 1; exact, without tolerance."""
    return np.sign(_floats(values))


def sqrt(values: ArrayLike) -> FloatSeries:
    """Square root; NaN below 0."""
    with np.errstate(invalid="ignore"):
        return np.sqrt(_floats(values))


def exp(values: ArrayLike) -> FloatSeries:
    """Exponential function; NaN where it is too large for a float."""
    with np.errstate(all="ignore"):
        return np.asarray(_exp(_floats(values)))


def log(values: ArrayLike) -> FloatSeries:
    """Natural logarithm; NaN at 0 and below."""
    with np.errstate(all="ignore"):
        return np.asarray(_log(_floats(values)))


def power(first: ArrayLike, second: ArrayLike) -> FloatSeries:
    """Power; NaN where either is and where there is no finite answer.

    Exponents 2 and 0.5 are a product and a square root, as in Pine.
    """
    with np.errstate(all="ignore"):
        return np.asarray(_power(_floats(first), _floats(second)))


def is_na(values: ArrayLike) -> BoolSeries:
    """Whether the value is NaN or infinite, which Pine's `na()` does not tell apart."""
    return ~np.isfinite(_floats(values))


# Element by element through the C library: numpy's own vector versions differ in the last digit from machine to
# machine, and the compiled operations call the C library too.
def _one_exp(value: float) -> float:
    try:
        return math.exp(value) if value < math.inf else math.nan
    except OverflowError:
        return math.nan


def _one_log(value: float) -> float:
    return math.log(value) if 0.0 < value < math.inf else math.nan


def _one_power(base: float, exponent: float) -> float:
    if math.isnan(base) or math.isnan(exponent):
        return math.nan
    if exponent == 2.0:
        answer = base * base
    elif exponent == 0.5 and base >= 0.0:
        answer = math.sqrt(base)
    else:
        try:
            answer = math.pow(base, exponent)
        except (OverflowError, ValueError):
            return math.nan
    return answer if math.isfinite(answer) else math.nan


_exp = np.vectorize(_one_exp, otypes=[np.float64])
_log = np.vectorize(_one_log, otypes=[np.float64])
_power = np.vectorize(_one_power, otypes=[np.float64])


_ONE = (Role.VALUE,)


def _numeric(name: str, operands: tuple[Role, ...], scalar: Scalar, reference: Reference, pine: str) -> OpSpec:
    return OpSpec(name, operands, False, scalar, no_bars, reference, pine)  # noqa: FBT003 - one flag, named


def _signal(name: str, operands: tuple[Role, ...], reference: Reference, pine: str) -> OpSpec:
    return OpSpec(name, operands, True, Scalar.FLAG, no_bars, reference, pine)  # noqa: FBT003 - one flag, named


SPECS = [
    _numeric("add", PAIR, Scalar.KEEP, add, "{0} + {1}"),
    _numeric("sub", PAIR, Scalar.KEEP, sub, "{0} - {1}"),
    _numeric("mul", PAIR, Scalar.KEEP, mul, "{0} * {1}"),
    _numeric("div", PAIR, Scalar.NUMBER, div, "{0} / {1}"),
    _numeric("mod", PAIR, Scalar.KEEP, modulo, "{0} % {1}"),
    _numeric("abs", _ONE, Scalar.KEEP, absolute, "math.abs({0})"),
    _numeric("floor", _ONE, Scalar.WHOLE, floor, "math.floor({0})"),
    _numeric("sign", _ONE, Scalar.WHOLE, sign, "math.sign({0})"),
    _numeric("sqrt", _ONE, Scalar.NUMBER, sqrt, "math.sqrt({0})"),
    _numeric("exp", _ONE, Scalar.NUMBER, exp, "math.exp({0})"),
    _numeric("log", _ONE, Scalar.NUMBER, log, "math.log({0})"),
    _numeric("pow", PAIR, Scalar.NUMBER, power, "math.pow({0}, {1})"),
    _numeric("min", PAIR, Scalar.KEEP, minimum, "math.min({0}, {1})"),
    _numeric("max", PAIR, Scalar.KEEP, maximum, "math.max({0}, {1})"),
    _numeric("nz", PAIR, Scalar.NEVER, nz, "nz({0}, {1})"),
    _numeric("where", (Role.CONDITION, *PAIR), Scalar.NEVER, where, "{0} ? {1} : {2}"),
    _signal("gt", PAIR, gt, "{0} > {1}"),
    _signal("ge", PAIR, ge, "{0} >= {1}"),
    _signal("lt", PAIR, lt, "{0} < {1}"),
    _signal("le", PAIR, le, "{0} <= {1}"),
    _signal("eq", PAIR, eq, "{0} == {1}"),
    _signal("ne", PAIR, ne, "{0} != {1}"),
    _signal("and", CONDITIONS, logical_and, "{0} and {1}"),
    _signal("or", CONDITIONS, logical_or, "{0} or {1}"),
    _signal("not", (Role.CONDITION,), logical_not, "not {0}"),
    signal("isna", (Role.SERIES,), is_na, "na({0})"),
]
"""The operations of this module."""
