"""Words for the ids of the report."""

METRICS = {
    "cum": "Total return",
    "cagr": "Growth a year (CAGR)",
    "mean_ann": "Mean return a year",
    "best": "Best day",
    "worst": "Worst day",
    "hit_rate": "Days up",
    "vol": "Volatility a year",
    "downside_dev": "Downside deviation a year",
    "skew": "Skew",
    "kurtosis": "Excess kurtosis",
    "autocorr_1": "Autocorrelation, lag 1",
    "dd_now": "Drawdown now",
    "dd_max": "Deepest drawdown",
    "dd_days_max": "Longest drawdown, sessions",
    "ulcer": "Ulcer index",
    "sharpe": "Sharpe ratio",
    "sortino": "Sortino ratio",
    "calmar": "Calmar ratio",
}

MODELS = {
    "hs": "Historical simulation",
    "normal": "Normal",
    "ewma": "EWMA (RiskMetrics)",
    "cornish_fisher": "Cornish-Fisher",
}

LIMITS = {
    "position_value": "Largest position value",
    "leverage": "Leverage, gross / NAV",
    "concentration": "Largest position / NAV",
    "daily_loss": "Loss of the day",
    "drawdown": "Drawdown",
}


def label(words: dict[str, str], key: str) -> str:
    """Return the words for `key`, or the key itself when a newer report knows more than this page."""
    return words.get(key, key)
