"""The rules, one file a family; `registry.py` is the face.

What belongs here: a rule as a value (name, severity, scope, check over a frame). What does not: what follows from a
finding (`audit.py`, the score). To add one: write it in its family's file and add it to that file's `RULES`.
"""
