import numpy as np
import pytest

from chandlery.errors import InvalidInput
from chandlery.optimize import all_objectives, scores
from chandlery.optimize.objective import best_of

# equity, closed trades, wins, gross profit, gross loss, largest drawdown, bar Sharpe, bars in position
ROWS = np.array(
    [
        [1.5, 10, 6, 0.9, 0.4, 0.25, 0.05, 100],
        [1.2, 2, 2, 0.2, 0.0, 0.1, 0.5, 100],
        [1.1, 3, 3, 0.1, 0.0, 0.0, np.nan, 9],
    ]
)


def test_every_objective_scores_its_figure_and_larger_is_better() -> None:
    found = {name: float(objective.score(ROWS)[0]) for name, objective in all_objectives().items()}
    assert found == pytest.approx(
        {
            "bar_sharpe": 0.05,
            "equity": 1.5,
            "max_dd": -0.25,
            "profit_factor": 2.25,
            "return_over_drawdown": 2.0,
            "expectancy": 0.05,
        }
    )


def test_candidate_with_two_trades_is_not_ranked_by_any_objective() -> None:
    assert all(objective.score(ROWS)[1] == -np.inf for objective in all_objectives().values())


def test_figure_without_a_value_is_not_ranked() -> None:
    # No variance, no loss, no drawdown: no ratio, never infinity.
    found = scores(ROWS, ("bar_sharpe", "profit_factor", "return_over_drawdown", "max_dd"))
    assert found[2].tolist() == [-np.inf, -np.inf, -np.inf, 0.0]


def test_objective_named_twice_is_refused() -> None:
    with pytest.raises(InvalidInput, match="each once"):
        scores(ROWS, ("equity", "equity"))


def test_ties_go_to_the_lowest_lattice_point() -> None:
    assert best_of(np.array([0.1, 0.3, 0.3, -np.inf]), np.array([4, 9, 2, 1])) == 2
    assert best_of(np.full(3, -np.inf), np.array([4, 2, 9])) == 1
