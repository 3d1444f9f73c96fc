"""One module per noun, each with a `router`; `api/app.py` walks them, so a new file is a new route.

What belongs here: key, parameters, one question to the store, one answer. What does not: SQL and formats.
"""
