"""Turn figures into what people read: JSON documents first, then HTML drawn from the JSON alone.

What belongs here: builders that call the pure rooms and renderers that compute nothing. What does not: reading or
writing the warehouse (`steps/` does), scheduling. Imported by `steps/`.
"""
