"""Statistics of a whole search against second implementations: holdout-backtest, arch, loops over full returns."""

import math
from itertools import combinations

import numpy as np
import pytest
from arch.bootstrap import SPA, StationaryBootstrap
from arch.bootstrap import optimal_block_length as arch_length
from holdout import bootstrap as holdout_bootstrap
from holdout import deflated as holdout_deflated
from holdout import splits as holdout_splits
from holdout import trials as holdout_trials
from holdout.pbo import probability_of_backtest_overfitting
from holdout.spa import reality_check as holdout_reality_check
from holdout.spa import superior_predictive_ability
from numpy.typing import NDArray

from chandlery.errors import InvalidInput
from chandlery.optimize import (
    BlockReturns,
    cpcv,
    deflated_sharpe,
    effective_trials,
    min_track_record_length,
    optimal_block_length,
    pbo,
    psr,
    reality_check,
    spa,
    stationary_counts,
    walk_forward,
)
from chandlery.optimize import cscv as cscv_module
from chandlery.optimize.reality_check import maxima

Matrix = NDArray[np.float64]


def returns(seed: int, bars: int, candidates: int, *, edge: float = 0.0) -> Matrix:
    """Return dependent, correlated bar returns of candidates whose means spread by `edge`."""
    random = np.random.default_rng(seed)
    shocks = random.standard_t(5, (bars + 1, candidates)) + random.standard_t(5, (bars + 1, 1))
    return 0.006 * (shocks[1:] + 0.3 * shocks[:-1]) + edge * np.linspace(-1.0, 1.0, candidates)


def moments_of(values: Matrix, blocks: int) -> tuple[Matrix, Matrix]:
    """Return sums of the first four powers `[K, B, 4]` and returns per block, by a loop."""
    parts = [values[np.arange(values.shape[0]) * blocks // values.shape[0] == block] for block in range(blocks)]
    powers = [[(part**power).sum(axis=0) for power in (1, 2, 3, 4)] for part in parts]
    return np.array(powers).transpose(2, 0, 1), np.array([part.shape[0] for part in parts], dtype=float)


def ratio(values: Matrix) -> Matrix:
    """Return Sharpe ratios by column."""
    return np.asarray(values.mean(axis=0) / values.std(axis=0, ddof=1))


@pytest.mark.parametrize(("seed", "edge"), [(0, 0.0), (1, 0.002)])
def test_pbo_agrees_with_holdout(seed: int, edge: float) -> None:
    # Ranks differ among ties only: holdout shares them, we count what is not above.
    values = returns(seed, 640, 23, edge=edge)
    found, witness = pbo(values), probability_of_backtest_overfitting(values)
    assert found.splits == 12_870
    np.testing.assert_array_equal(found.chosen, witness.selected)
    np.testing.assert_allclose(found.logits, witness.logits, rtol=1e-12)
    np.testing.assert_allclose(found.in_sample, witness.in_sample, rtol=1e-9)
    np.testing.assert_allclose(found.out_of_sample, witness.out_of_sample, rtol=1e-9, atol=1e-12)
    assert found.pbo == pytest.approx(witness.pbo, abs=1e-12)
    assert found.slope == pytest.approx(witness.degradation[0], rel=1e-9)
    assert found.loss == pytest.approx(witness.probability_of_loss, abs=1e-12)


def test_pbo_agrees_with_a_loop_over_full_returns_when_blocks_differ_in_length() -> None:
    values = returns(2, 107, 7)
    block = np.arange(107) * 6 // 107
    logits = []
    for split in combinations(range(6), 3):
        inside = np.isin(block, split)
        outer = ratio(values[~inside])
        rank = (outer <= outer[ratio(values[inside]).argmax()]).sum()
        logits.append(math.log(rank / (8.0 - rank)))
    found = pbo(values, blocks=6)
    np.testing.assert_allclose(found.logits, logits, rtol=1e-12)
    assert found.pbo == np.mean(np.array(logits) <= 0.0)


def test_of_equal_candidates_the_first_is_chosen_in_every_split() -> None:
    values = returns(3, 160, 3)
    found = pbo(np.repeat(values, 5, axis=1), blocks=8)
    assert set(found.chosen.tolist()) <= {0, 5, 10}


def test_candidate_never_invested_stands_at_zero() -> None:
    values = returns(4, 160, 4) - 0.01
    values[:, 2] = 0.0
    found = pbo(values, blocks=8)
    assert set(found.chosen.tolist()) == {2}
    assert found.loss == 0.0


def test_more_candidates_than_fit_are_thinned_evenly_by_their_ratio(monkeypatch: pytest.MonkeyPatch) -> None:
    values = returns(5, 160, 60, edge=0.004)
    monkeypatch.setattr(cscv_module, "MOST_CANDIDATES", 20)
    found = pbo(values, blocks=8)
    kept = np.argsort(-ratio(values))[::3]
    assert found.candidates == 20
    assert set(found.chosen.tolist()) <= set(kept.tolist())
    assert int(ratio(values).argmax()) in found.chosen


@pytest.mark.parametrize("blocks", [0, 7, 22])
def test_pbo_refuses_blocks_that_cannot_be_halved(blocks: int) -> None:
    with pytest.raises(InvalidInput, match="even number"):
        pbo(returns(0, 100, 3), blocks=blocks)


def test_pbo_refuses_one_candidate_and_numbers_that_are_not_finite() -> None:
    values = returns(0, 100, 3)
    with pytest.raises(InvalidInput, match="1 candidates"):
        pbo(values[:, :1])
    values[3, 1] = np.nan
    with pytest.raises(InvalidInput, match="finite"):
        pbo(values)


def test_psr_dsr_and_track_record_agree_with_holdout() -> None:
    for sharpe, skew, kurtosis, trials in ((0.05, -0.4, 6.0, 9_000), (0.2, 1.0, 4.0, 40), (-0.1, 0.0, 3.0, 2)):
        shape = {"skew": skew, "kurtosis": kurtosis}
        theirs = {"skewness": skew, "kurtosis": kurtosis}
        assert psr(sharpe, benchmark=0.01, n=800, **shape) == pytest.approx(
            holdout_deflated.probabilistic_sharpe_ratio(sharpe, 800, benchmark=0.01, **theirs), abs=1e-12
        )
        assert deflated_sharpe(sharpe, trials=trials, variance=4e-4, n=800, **shape) == pytest.approx(
            holdout_deflated.deflated_sharpe_ratio(sharpe, 800, n_trials=trials, trials_variance=4e-4, **theirs),
            abs=1e-12,
        )
        if sharpe > 0.0:
            assert min_track_record_length(sharpe, benchmark=0.0, **shape) == pytest.approx(
                holdout_deflated.minimum_track_record_length(sharpe, **theirs), rel=1e-12
            )


@pytest.mark.parametrize(("seed", "memory"), [(0, 0.0), (1, 0.5), (2, 0.8), (3, -0.4)])
def test_block_length_agrees_with_arch(seed: int, memory: float) -> None:
    # holdout counts the bandwidth from one lag earlier, so it agrees only where no lag stands out.
    series = np.random.default_rng(seed).standard_normal(700)
    for at in range(1, 700):
        series[at] += memory * series[at - 1]
    assert optimal_block_length(series) == pytest.approx(max(1.0, arch_length(series)["stationary"].iloc[0]), rel=1e-9)


def test_resamples_have_blocks_of_the_mean_length_and_every_row_as_often() -> None:
    counts = stationary_counts(50, samples=4_000, block_length=5.0, seed=1)
    assert (counts.sum(axis=1) == 50).all()
    # 4,000 draws of each row; neighbouring draws come together, about 9 times the variance of independent ones.
    assert np.abs(counts.mean(axis=0) - 1.0).max() < 5.0 * math.sqrt(9.0 / 4_000)
    # Variance of the mean of a random walk's steps: arch draws the same distribution.
    series = np.cumsum(np.random.default_rng(2).standard_normal(50))
    witness = StationaryBootstrap(5, series, seed=3).apply(lambda x: x.mean(), 4_000).std()
    assert (counts @ series / 50).std() == pytest.approx(witness, rel=0.06)


@pytest.mark.parametrize(("seed", "edge"), [(0, 0.0), (1, 0.0006), (2, -0.001)])
def test_tests_of_the_whole_search_agree_with_holdout_on_the_same_resamples(seed: int, edge: float) -> None:
    values = returns(seed, 300, 12, edge=abs(edge)) + min(edge, 0.0)
    drawn = holdout_bootstrap.stationary_bootstrap_indices(300, 6.0, 500, seed=seed)
    counts = np.stack([np.bincount(row, minlength=300) for row in drawn]).astype(float)
    plain, studentised = maxima(BlockReturns.from_returns(values, blocks=300), counts)
    check = holdout_reality_check(values, n_bootstrap=500, block_length=6.0, seed=seed)
    witness = superior_predictive_ability(values, n_bootstrap=500, block_length=6.0, seed=seed)
    assert plain[0] == pytest.approx(check.statistic, rel=1e-9)
    assert np.mean(plain[1:] >= plain[0]) == pytest.approx(check.pvalue, abs=1e-9)
    assert studentised[0, 0] == pytest.approx(witness.statistic, rel=1e-9)
    shares = [np.mean(row[1:] >= row[0]) for row in studentised]
    assert shares == pytest.approx([witness.lower, witness.consistent, witness.upper], abs=1e-9)


def test_reality_check_agrees_with_arch_within_the_error_of_sampling() -> None:
    # arch's SPA does not studentise the maximum, so its upper p-value is White's.
    values = returns(6, 400, 15, edge=0.0008)
    test = SPA(np.zeros(400), -values, block_size=6, reps=2_000, seed=4)
    test.compute()
    found = reality_check(values, samples=2_000, seed=5, block_length=6.0)
    p = float(test.pvalues["upper"])
    assert 0.02 < p < 0.98
    assert found.p == pytest.approx(p, abs=4.0 * math.sqrt(2.0 * p * (1.0 - p) / 2_000))


def test_p_values_are_ordered_and_the_same_for_the_same_seed() -> None:
    values = returns(7, 300, 20, edge=0.0015)
    found = spa(values, seed=1)
    assert found.lower <= found.consistent <= found.upper
    assert found == spa(values, seed=1)
    assert found.block_length > 1.0


def test_search_that_never_differs_from_its_benchmark_proves_nothing() -> None:
    found = spa(np.zeros((60, 3)), samples=50, seed=1)
    assert (found.statistic, found.lower, found.consistent, found.upper) == (0.0, 1.0, 1.0, 1.0)
    assert reality_check(np.zeros((60, 3)), samples=50, seed=1).p == 1.0


def test_effective_trials_agree_with_holdout() -> None:
    values = returns(8, 200, 30)
    values[:, 4] = 0.0
    witness = holdout_trials.effective_number_of_trials(np.corrcoef(np.delete(values, 4, 1).T), method="average")
    assert effective_trials(values, trials=29) == pytest.approx(witness, rel=1e-9)
    assert effective_trials(np.zeros((50, 3))) is None


@pytest.mark.parametrize("scheme", ["rolling", "anchored"])
def test_walk_forward_agrees_with_holdouts_splits_over_full_returns(scheme: str) -> None:
    values = returns(9, 320, 11, edge=0.001)
    found = walk_forward(values, scheme=scheme, blocks=16, train=5, test=2, embargo=1)  # type: ignore[arg-type]
    splits = holdout_splits.walk_forward(320, train=100, test=40, gap=20, expanding=scheme == "anchored")
    chosen = [int(ratio(values[split.train]).argmax()) for split in splits]
    inner = [ratio(values[split.train])[column] for split, column in zip(splits, chosen, strict=True)]
    stitched = np.concatenate([values[split.test, column] for split, column in zip(splits, chosen, strict=True)])
    assert [fold.number for fold in found.folds] == chosen
    assert [fold.train_sharpe for fold in found.folds] == pytest.approx(inner, rel=1e-9)
    assert found.sharpe == pytest.approx(ratio(stitched), rel=1e-9)
    assert found.mean_return == pytest.approx(stitched.mean(), rel=1e-9)
    assert found.efficiency == pytest.approx(ratio(stitched) / np.mean(inner), rel=1e-9)


def test_walk_forward_of_64_blocks_has_12_folds_that_end_with_the_panel() -> None:
    folds = walk_forward(returns(10, 640, 3)).folds
    assert [(fold.test_first, fold.test_end) for fold in folds] == [(start, start + 4) for start in range(16, 64, 4)]
    assert all(fold.train_end == fold.test_first - 1 and fold.train_end - fold.train_first == 15 for fold in folds)


def test_walk_forward_refuses_spans_that_leave_no_fold() -> None:
    with pytest.raises(InvalidInput, match="do not fit"):
        walk_forward(returns(0, 100, 2), blocks=10, train=8, test=2)


def test_cpcv_agrees_with_holdouts_paths_over_full_returns() -> None:
    # holdout embargoes after a test group only; a block before it is dropped by hand.
    values = returns(11, 240, 9, edge=0.0005)
    witness = holdout_splits.combinatorial_purged_cv(6, 2, n=240)
    kept = []
    for split in witness.splits:
        near = set(np.concatenate([split.test + shift for shift in (-10, 0, 10)]).tolist())
        train = np.array([at for at in split.train if at not in near])
        kept.append(values[split.test, int(ratio(values[train]).argmax())])
    paths = witness.assemble_paths(kept)
    found = cpcv(values, groups=6, tested=2, blocks=24, embargo=1)
    assert (found.splits, len(found.paths)) == (15, 2 * 15 // 6)
    assert found.paths == pytest.approx(ratio(paths.T).tolist(), rel=1e-9)
    assert found.median == pytest.approx(float(np.median(ratio(paths.T))), rel=1e-9)


@pytest.mark.parametrize(("groups", "tested"), [(4, 1), (7, 3), (10, 2)])
def test_cpcv_has_as_many_paths_as_the_book_counts(groups: int, tested: int) -> None:
    found = cpcv(returns(12, 400, 4), groups=groups, tested=tested, blocks=40)
    assert len(found.paths) * groups == tested * math.comb(groups, tested)


def test_cpcv_refuses_an_embargo_that_leaves_nothing() -> None:
    with pytest.raises(InvalidInput, match="nothing to choose on"):
        cpcv(returns(0, 100, 2), groups=4, tested=2, blocks=8, embargo=2)


def test_stored_moments_give_what_plain_returns_give() -> None:
    values = returns(13, 643, 10, edge=0.0005)
    stored = BlockReturns.from_moments(*moments_of(values, 64))
    assert pbo(stored).pbo == pbo(values).pbo
    assert walk_forward(stored).sharpe == pytest.approx(walk_forward(values).sharpe, rel=1e-9)
    assert cpcv(stored).paths == pytest.approx(cpcv(values).paths, rel=1e-9)
    by_bar = BlockReturns.from_moments(*moments_of(values, 643))
    assert spa(by_bar, samples=200, seed=3) == spa(values, samples=200, seed=3)
    assert effective_trials(by_bar) == pytest.approx(effective_trials(values), rel=1e-9)


def test_on_noise_pbo_is_about_one_half_and_a_deflated_ratio_above_95_percent_is_rare() -> None:
    # 40 independent searches: the mean of 40 PBOs, each of standard deviation below 0.3, and a binomial count.
    random = np.random.default_rng(14)
    overfit, passed = [], 0
    for _ in range(40):
        values = random.standard_normal((256, 30))
        overfit.append(pbo(values, blocks=8).pbo)
        ratios = ratio(values)
        deflated = deflated_sharpe(
            float(ratios.max()), trials=30, variance=float(ratios.var(ddof=1)), n=256, skew=0.0, kurtosis=3.0
        )
        passed += deflated > 0.95
    assert np.mean(overfit) == pytest.approx(0.5, abs=4.0 * 0.3 / math.sqrt(40))
    # At a true rate of 5 %, 8 or more of 40 happen once in a thousand.
    assert passed < 8
