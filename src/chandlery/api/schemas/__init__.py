"""What callers may ask (query models) and what they get (answer models, which document and are not run).

What belongs here: the public contract as pydantic models, one module per noun. Routes import it.
"""
