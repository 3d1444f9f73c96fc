"""VaR and ES models, one per file, and their registry.

What belongs here: a model as one `VarModel` value. What does not: backtests of models (`risk/backtest.py`).
Whoever may import `risk/` may import this.
"""

from chandlery.risk.models.registry import VAR_MODELS

__all__ = ["VAR_MODELS"]
