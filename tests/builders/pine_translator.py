"""Pine to Pyne: the text the exporter emits, as Python that PyneCore runs.

Only the part of Pine the exporter uses is known; anything else is refused, so that a new construct cannot be
translated wrongly in silence.
"""

import keyword
from collections.abc import Iterator

from pine_parser import parse_pine
from pynescript.ast import node as pine

_WORDS = """
bar_index close currency dayofmonth dayofweek display fixnan format high hl2 hlc3 hour input low math minute month na nz
ohlc4 open plot runtime script strategy syminfo ta volume year
"""
_LIB = _WORDS.split()
_BINARY = {pine.Add: "+", pine.Sub: "-", pine.Mult: "*", pine.Div: "/", pine.Mod: "%"}
_COMPARE = {pine.Eq: "==", pine.NotEq: "!=", pine.Lt: "<", pine.LtE: "<=", pine.Gt: ">", pine.GtE: ">="}
_TYPES = {"float": "float", "int": "int", "bool": "bool"}
_INDENT = "    "


def to_pyne(text: str) -> str:
    """Return the Pyne module of a Pine strategy.

    Raises:
        NotImplementedError: for a construct the exporter does not emit.
    """
    body = parse_pine(text).body
    past = {node.value.id for part in body for node in _walk(part) if isinstance(node, pine.Subscript)}
    translation = _Translation(past)
    declaration, inputs, functions, statements = "", [], [], []
    for part in body:
        match part:
            case pine.Expr(value=pine.Call(func=pine.Name(id="strategy")) as call):
                declaration = f"@script.strategy({translation.arguments(call)})"
            case pine.Assign(target=pine.Name(id=name), value=pine.Call(func=pine.Attribute() as called)) if (
                called.value.id == "input"
            ):
                inputs.append(f"{_name(name)}={translation.expression(part.value)}")
            case pine.FunctionDef():
                functions += translation.function(part)
            case _:
                statements += translation.statement(part, _INDENT)
    return "\n".join(
        [
            '"""',
            "@pyne",
            '"""',
            "from pynecore import Persistent, Series",
            f"from pynecore.lib import {', '.join(_LIB)}",
            "",
            *functions,
            declaration,
            f"def main({', '.join(inputs)}):",
            *statements,
            "",
        ]
    )


def _walk(node: object) -> Iterator[pine.AST]:
    if isinstance(node, list):
        for part in node:
            yield from _walk(part)
    elif isinstance(node, pine.AST):
        yield node
        for part in vars(node).values():
            yield from _walk(part)


def _name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


class _Translation:
    """Text of the parts; `past` names the variables whose history is read."""

    def __init__(self, past: set[str]) -> None:
        self._past = past

    def function(self, node: pine.FunctionDef) -> list[str]:
        params = ", ".join(
            f"{_name(param.name)}: Series[{_TYPES[param.type.id]}]" if param.name in self._past else _name(param.name)
            for param in node.args
        )
        lines = [f"def {_name(node.name)}({params}):"]
        for part in node.body[:-1]:
            lines += self.statement(part, _INDENT)
        return [*lines, f"{_INDENT}return {self.expression(node.body[-1].value)}", ""]

    def statement(self, node: pine.AST, indent: str) -> list[str]:
        match node:
            case pine.Assign():
                return [indent + line for line in self._assign(node)]
            case pine.ReAssign(target=pine.Name(id=name)):
                return [f"{indent}{_name(name)} = {self.expression(node.value)}"]
            case pine.Expr(value=pine.If() as branch):
                if branch.orelse:
                    raise NotImplementedError("else")
                inner = [line for part in branch.body for line in self.statement(part, indent + _INDENT)]
                return [f"{indent}if {self.expression(branch.test)}:", *inner]
            case pine.Expr():
                return [indent + self.expression(node.value)]
            case _:
                raise NotImplementedError(type(node).__name__)

    def _assign(self, node: pine.Assign) -> list[str]:
        value = self.expression(node.value)
        match node:
            case pine.Assign(target=pine.Tuple(elts=names)):
                parts = [_name(part.id) for part in names]
                kept = [f"{name}: Series[float] = {name}" for name in parts if name in self._past]
                return [f"{', '.join(parts)} = {value}", *kept]
            case pine.Assign(target=pine.Name(id=name), mode=pine.Var()):
                if name in self._past:
                    raise NotImplementedError(f"history of var {name}")
                return [f"{_name(name)}: Persistent[{_TYPES[node.type.id]}] = {value}"]
            case pine.Assign(target=pine.Name(id=name), mode=None):
                note = ": Series[float]" if name in self._past else ""
                return [f"{_name(name)}{note} = {value}"]
            case _:
                raise NotImplementedError(type(node.target).__name__)

    def arguments(self, call: pine.Call) -> str:
        return ", ".join(f"{arg.name + '=' if arg.name else ''}{self.expression(arg.value)}" for arg in call.args)

    def expression(self, node: pine.AST) -> str:
        """Return an expression; what is put together by operators stands in parentheses."""
        match node:
            case pine.Constant(value=value):
                return repr(value)
            case pine.Name(id=name):
                return "na(float)" if name == "na" else _name(name)
            case pine.Attribute() | pine.Subscript() | pine.Call():
                return self._reference(node)
            case _:
                return f"({self._operation(node)})"

    def _reference(self, node: pine.AST) -> str:
        match node:
            case pine.Attribute(value=value, attr=attr):
                return f"{self.expression(value)}.{attr}"
            case pine.Subscript(value=value, slice=offset):
                return f"{self.expression(value)}[{self.expression(offset)}]"
            case pine.Call(func=pine.Name(id="na")):
                return f"na({self.arguments(node)})"
            case pine.Call(func=func):
                return f"{self.expression(func)}({self.arguments(node)})"
            case _:
                raise NotImplementedError(type(node).__name__)

    def _operation(self, node: pine.AST) -> str:
        text = self.expression
        match node:
            case pine.BinOp(left=left, op=op, right=right):
                return f"{text(left)} {_BINARY[type(op)]} {text(right)}"
            case pine.BoolOp(op=op, values=values):
                return (" and " if isinstance(op, pine.And) else " or ").join(text(value) for value in values)
            case pine.UnaryOp(op=op, operand=operand):
                return f"{'not ' if isinstance(op, pine.Not) else '-'}{text(operand)}"
            case pine.Compare(left=left, ops=[op], comparators=[right]):
                return f"{text(left)} {_COMPARE[type(op)]} {text(right)}"
            case pine.Conditional(test=test, body=body, orelse=orelse):
                return f"{text(body)} if {text(test)} else {text(orelse)}"
            case _:
                raise NotImplementedError(type(node).__name__)
