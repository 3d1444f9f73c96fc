"""VaR and ES against published values, scipy, quadrature and plain loops."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import integrate, stats

from chandlery.errors import InvalidInput
from chandlery.measures import Measured, Status
from chandlery.risk.models import VAR_MODELS
from chandlery.risk.models.cornish_fisher import expansion, is_monotone, modified_es
from chandlery.risk.models.ewma import ewma_variance
from chandlery.risk.models.normal import normal_tail
from chandlery.risk.tail import VarModel, tail_count, tail_of

EVERY = pytest.mark.parametrize("model", VAR_MODELS.values(), ids=list(VAR_MODELS))
SAMPLE = np.random.default_rng(20260102).standard_t(8, 600) * 0.01
LEVELS = (0.9, 0.95, 0.975, 0.99)


def values(model: str, returns: np.ndarray, level: float) -> tuple[float, float]:
    answer = VAR_MODELS[model](returns, level=level)
    assert answer.var.value is not None
    assert answer.es.value is not None
    return answer.var.value, answer.es.value


@pytest.mark.parametrize(
    ("level", "var", "es"), [(0.95, 1.6449, 2.0627), (0.975, 1.9600, 2.3378), (0.99, 2.3263, 2.6652)]
)
def test_standard_normal_var_and_es_are_the_published_ones(level: float, var: float, es: float) -> None:
    assert normal_tail(mean=0.0, spread=1.0, tail=tail_of(level)) == pytest.approx((var, es), abs=5e-5)


def test_historical_var_is_the_kth_worst_and_es_the_mean_of_the_k_worst() -> None:
    losses = np.arange(1, 501) / 1000
    mixed = np.random.default_rng(1).permutation(-losses)
    # 500 x 1 % = 5 worst: 0.496 to 0.500.
    assert values("hs", mixed, 0.99) == pytest.approx((0.496, 0.498))
    # 500 x 2.5 % = 12.5, so 13 worst: 0.488 to 0.500.
    assert values("hs", mixed, 0.975) == pytest.approx((0.488, 0.494))


def test_tail_count_does_not_stumble_over_binary_fractions() -> None:
    assert [tail_count(100, tail=0.07), tail_count(500, tail=tail_of(0.99)), tail_count(10, tail=0.01)] == [7, 5, 1]


def test_normal_model_agrees_with_scipy_and_brute_force_es() -> None:
    law = stats.norm(SAMPLE.mean(), SAMPLE.std(ddof=1))
    var, es = values("normal", SAMPLE, 0.975)
    grid = law.ppf((np.arange(400_000) + 0.5) / 400_000 * 0.025)
    assert var == pytest.approx(-law.ppf(0.025), rel=1e-12)
    assert es == pytest.approx(-grid.mean(), rel=1e-5)


def test_ewma_variance_agrees_with_its_recursion() -> None:
    variance = float(np.var(SAMPLE[:50], ddof=1))
    for r in SAMPLE[50:]:
        variance = 0.94 * variance + 0.06 * float(r) ** 2
    assert ewma_variance(SAMPLE) == pytest.approx(variance, rel=1e-12)
    assert values("ewma", SAMPLE, 0.95)[0] == pytest.approx(-stats.norm.ppf(0.05) * math.sqrt(variance), rel=1e-12)


def test_cornish_fisher_without_skew_and_kurtosis_is_the_normal_quantile() -> None:
    assert expansion(-2.0, skew=0.0, kurtosis=0.0) == -2.0
    assert modified_es(-2.0, skew=0.0, kurtosis=0.0, tail=float(stats.norm.cdf(-2.0))) == pytest.approx(
        stats.norm.pdf(2.0) / stats.norm.cdf(-2.0), rel=1e-12
    )


def test_cornish_fisher_expansion_at_two_is_the_value_worked_out_on_paper() -> None:
    # z = -2, S = -0.5, K = 1.5: -2 - 0.25 - 0.125 + 6 x 0.25 / 36 = -2.3333...
    assert expansion(-2.0, skew=-0.5, kurtosis=1.5) == pytest.approx(-7 / 3, rel=1e-14)


@pytest.mark.parametrize(("skew", "kurtosis"), [(-0.5, 1.5), (0.3, 0.8), (0.0, 2.0)])
@pytest.mark.parametrize("level", LEVELS)
def test_modified_es_agrees_with_quadrature_of_the_edgeworth_density(
    skew: float, kurtosis: float, level: float
) -> None:
    tail = tail_of(level)
    h = expansion(float(stats.norm.ppf(tail)), skew=skew, kurtosis=kurtosis)

    def weighted(x: float) -> float:
        third = x**3 - 3 * x
        fourth = x**4 - 6 * x**2 + 3
        sixth = x**6 - 15 * x**4 + 45 * x**2 - 15
        bend = 1 + skew / 6 * third + kurtosis / 24 * fourth + skew**2 / 72 * sixth
        return -x * math.exp(-x * x / 2) / math.sqrt(2 * math.pi) * bend

    witness = integrate.quad(weighted, -40, h, epsabs=1e-14, epsrel=1e-13, points=[-8.0])[0] / tail
    assert modified_es(h, skew=skew, kurtosis=kurtosis, tail=tail) == pytest.approx(witness, rel=1e-9)


def test_cornish_fisher_model_uses_population_moments() -> None:
    skew, kurtosis = float(stats.skew(SAMPLE)), float(stats.kurtosis(SAMPLE))
    z = float(stats.norm.ppf(0.01))
    h = z + (z**2 - 1) * skew / 6 + (z**3 - 3 * z) * kurtosis / 24 - (2 * z**3 - 5 * z) * skew**2 / 36
    assert values("cornish_fisher", SAMPLE, 0.99)[0] == pytest.approx(-SAMPLE.mean() - h * SAMPLE.std(), rel=1e-10)


@given(st.floats(-3, 3), st.floats(-2, 20), st.sampled_from(LEVELS))
@settings(max_examples=200, deadline=None)
def test_monotone_is_what_a_dense_grid_of_slopes_finds(skew: float, kurtosis: float, level: float) -> None:
    z = float(stats.norm.ppf(1 - level))
    y = np.linspace(z, -z, 4001)
    slope = (kurtosis / 8 - skew**2 / 6) * y**2 + skew * y / 3 + 1 - kurtosis / 8 + 5 * skew**2 / 36
    if abs(slope.min()) > 1e-5:
        assert is_monotone(z, skew=skew, kurtosis=kurtosis) == (slope.min() > 0)


def test_one_crash_in_a_calm_year_makes_cornish_fisher_non_monotone() -> None:
    calm = np.resize([0.001, -0.001, 0.0005], 600)
    calm[300] = -0.4
    answer = VAR_MODELS["cornish_fisher"](calm, level=0.99)
    assert answer.var == answer.es == Measured(None, Status.NON_MONOTONE, 600)


@EVERY
def test_too_few_days_for_the_tail_are_insufficient(model: VarModel) -> None:
    assert model(SAMPLE[:249], level=0.99).var.status == Status.INSUFFICIENT
    answer = model(SAMPLE[:250], level=0.99)
    assert (answer.var.status, answer.es.status) == (Status.OK, Status.INSUFFICIENT)
    assert model(SAMPLE[:500], level=0.99).es.status == Status.OK


@EVERY
def test_a_flat_or_gapped_series_has_no_var(model: VarModel) -> None:
    assert model(np.full(500, 0.001), level=0.99).var.status == Status.ZERO_VARIANCE
    gapped = SAMPLE.copy()
    gapped[3] = np.nan
    assert model(gapped, level=0.99).es.status == Status.MISSING_INPUT


def test_ewma_that_has_forgotten_its_only_move_has_no_var() -> None:
    still = np.zeros(13_100)
    still[60] = 0.01  # 13,039 days ago; 0.94^13039 is 0 in floats
    assert VAR_MODELS["ewma"](still, level=0.99).var.status == Status.ZERO_VARIANCE


@EVERY
@pytest.mark.parametrize("level", [0.5, 1.0, 0.01, math.nan])
def test_a_level_that_is_no_confidence_is_refused(model: VarModel, level: float) -> None:
    with pytest.raises(InvalidInput, match="Level"):
        model(SAMPLE, level=level)


@EVERY
def test_a_table_of_returns_is_refused(model: VarModel) -> None:
    with pytest.raises(InvalidInput, match="shape"):
        model(SAMPLE.reshape(2, -1), level=0.99)


spread_returns = hnp.arrays(np.float64, 500, elements=st.floats(-0.3, 0.3, allow_subnormal=False))


@given(spread_returns)
@settings(max_examples=40, deadline=None)
def test_var_and_es_rise_with_the_level_and_es_is_never_under_var(returns: np.ndarray) -> None:
    for model in VAR_MODELS.values():
        tails = [model(returns, level=level) for level in LEVELS]
        known = [(tail.var.value, tail.es.value) for tail in tails if tail.var.value is not None]
        for var, es in known:
            assert es is not None
            assert es >= var - 1e-12
        # Where the expansion is monotone at the highest level it is so at all lower ones.
        assert [var for var, _ in known] == sorted(var for var, _ in known)


@given(spread_returns, st.floats(0.1, 5.0), st.randoms(use_true_random=False))
@settings(max_examples=40, deadline=None)
def test_var_scales_with_returns_and_ignores_their_order_unless_it_forgets(
    returns: np.ndarray, factor: float, random: object
) -> None:
    shuffled = returns.copy()
    random.shuffle(shuffled)
    for name, model in VAR_MODELS.items():
        plain, scaled, mixed = (model(series, level=0.99).var for series in (returns, returns * factor, shuffled))
        if plain.value is None:
            continue
        assert scaled.value == pytest.approx(plain.value * factor, rel=1e-6, abs=1e-12)
        if name != "ewma":
            assert mixed.value == pytest.approx(plain.value, rel=1e-6, abs=1e-12)
