"""What is generated of the documentation: `python -m docs._generate [FOLDER]`, or `make docs`.

What belongs here: pages that are read off the code, one module each, as functions that yield lines. What does not:
prose, which is written by hand beside this folder. `tests/house/test_reference.py` compares the files with it.
"""
