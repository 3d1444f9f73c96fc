"""Value a book, forecast its loss, test the forecast and hold it against limits.

What belongs here: VaR and ES models and their backtests, the valuation of positions, the hypothetical return
history of a book, limits. What does not: which positions to hold (`portfolio/`), how a report looks (`reports/`).
Pure: arrays in, frozen dataclasses out. Imported by `portfolio/`, `reports/` and `steps/`.

VaR and ES are positive losses as fractions of NAV; a drawdown is <= 0.
"""
