"""The vocabulary: instruments, timeframes, the bar frame, exchange sessions.

What belongs here: words every other room uses, pure and without IO. What does not: where bars come from
(`sources/`), where they lie (`store/`), whether they are good (`quality/`). Everybody may import it.
"""
