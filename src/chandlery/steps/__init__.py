"""One use case per stage: what an asset or a command calls.

A step takes its source, its warehouse and its choices as arguments, works through the rooms below and returns
a receipt of plain figures. What does not belong here: when it runs (`orchestration/`), how a thing is computed
(the rooms), SQL (`store/`). Importable by `api`, `cli` and `orchestration`.
"""
