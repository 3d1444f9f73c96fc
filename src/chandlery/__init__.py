"""chandlery: audited market data, candles, studies and risk reports.

This package says *how*. It never imports Dagster (`orchestration/` says *when*) and holds no SQL
outside `store/` (`dbt_project/` says *what the tables mean*). Rooms are layered; the order and the
contracts stand in `pyproject.toml` under `[tool.importlinter]`.
"""

__version__ = "0.1.0"
