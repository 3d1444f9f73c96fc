"""Build: one operation node from its name and operands."""

from chandlery.strategies.expressions import Op, Operand, as_expression


def op(name: str, *operands: Operand) -> Op:
    """Return the node of a registered operation; plain numbers become constants."""
    return Op(name, tuple(as_expression(operand) for operand in operands))
