"""The formulas as used, printed with every report."""

from chandlery.measures import MEASURES
from chandlery.reports.risk.schema import DefinitionRow
from chandlery.risk.models import VAR_MODELS

_BOOK: tuple[tuple[str, str], ...] = (
    ("nav", "cash + sum of value, value = quantity x price at the as-of close"),
    ("gross, net", "sum of |value|, sum of value"),
    ("leverage", "gross / NAV"),
    ("concentration", "largest |value| / NAV"),
    ("day_pnl", "sum of quantity x (price - price of the session before)"),
    ("day_return", "day_pnl / NAV of the session before at today's quantities and cash"),
)

_HISTORY: tuple[tuple[str, str], ...] = (
    (
        "r_t",
        "sum_i w_i (P_it / P_i,t-1 - 1), weights of today, rebalanced daily; cash earns 0; no gap is filled",
    ),
    (
        "gaps",
        "> 5 % of recent prices missing: asset excluded; > 5 % of gross without return: day dropped; rest proxied",
    ),
)

_TESTS: tuple[tuple[str, str], ...] = (
    ("exception", "r_t < -VaR_t, the forecast for t from returns up to t-1"),
    ("pof_lr", "-2 ln[(1-p)^(n-x) p^x / ((1-x/n)^(n-x) (x/n)^x)], chi-squared(1) (Kupiec 1995)"),
    ("pof_p_exact", "two-sided binomial: sum of probabilities <= P(x); decides"),
    ("zone", "binomial cdf(x): green < 0.95, yellow < 0.9999, else red (250 days at 99 %: 0-4, 5-9, 10+)"),
    ("verdict", "fail: red or exact p < 0.0001; watch: yellow or p < 0.05; else pass"),
    ("component_es", "-mean of w_i r_i over the k worst days of the book at 97.5 %; sums to the ES of hs"),
)

_LIMITS: tuple[tuple[str, str], ...] = (
    ("state", "hard: value > hard limit; soft: value > soft limit; an equal value is allowed"),
    ("drawdown", "-dd_now of the hypothetical history"),
    ("autocorrelated", "|autocorr_1| > 1.96 / sqrt(n): scaling by sqrt(P) is in doubt"),
)


def definition_rows() -> list[DefinitionRow]:
    """Return every formula the report uses, by group."""
    rows: list[DefinitionRow] = []
    for group, pairs in (("book", _BOOK), ("history", _HISTORY)):
        rows.extend({"id": name, "group": group, "formula": formula} for name, formula in pairs)
    rows.extend({"id": name, "group": entry.group, "formula": entry.formula} for name, entry in MEASURES.items())
    rows.extend({"id": name, "group": "VaR and ES", "formula": model.formula} for name, model in VAR_MODELS.items())
    for group, pairs in (("backtest", _TESTS), ("limit", _LIMITS)):
        rows.extend({"id": name, "group": group, "formula": formula} for name, formula in pairs)
    return rows
