"""Kernels: the compiled operations, one pass over the bars each, and the compiled simulator.

What belongs here: functions of plain arrays marked `kernel`, each equal bit by bit to the reference of the same
name in `chandlery.indicators` (signals are rows of 0.0 and 1.0 here). What does not: anything that decides which
operation runs (`vm.py`). Importing any of it loads numba; only `vm.py` and the benchmark may.
"""
