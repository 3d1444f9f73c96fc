"""Which positions to hold: portfolio definitions and weight methods.

What belongs here: reading a portfolio from YAML, methods that choose quantities, one per file. What does not:
valuing or measuring the result (`risk/`). Pure but for reading the one file it is given. Imported by
`reports/`, `optimize/` and `steps/`.
"""

from chandlery.portfolio.definition import load_portfolio
from chandlery.portfolio.portfolio import Portfolio, Position
from chandlery.portfolio.weights import equal_weight_book

__all__ = ["Portfolio", "Position", "equal_weight_book", "load_portfolio"]
