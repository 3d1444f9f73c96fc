"""A parser for the part of Pine the exporter emits, into the nodes of pynescript.

pynescript's own parser takes seconds a script (ANTLR in Python: 200 s for the library on a busy machine); this one
takes milliseconds. A test holds both to the same tree.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pynescript.ast import node as pine

_TOKEN = re.compile(
    r"""(?P<text>"(?:[^"\\]|\\.)*")|(?P<number>\d+(?:\.\d+)?(?:e[+-]?\d+)?)|(?P<word>[A-Za-z_]\w*)"""
    r"""|(?P<sign>=>|:=|==|!=|<=|>=|[-+*/%<>=?:.,()\[\]])|(?P<blank>[ ]+)""",
    re.VERBOSE,
)
_LEVELS = (
    {"==": pine.Eq, "!=": pine.NotEq},
    {"<": pine.Lt, "<=": pine.LtE, ">": pine.Gt, ">=": pine.GtE},
    {"+": pine.Add, "-": pine.Sub},
    {"*": pine.Mult, "/": pine.Div, "%": pine.Mod},
)
"""Operators between two operands, weakest first."""

_ARITHMETIC = 2
_LOAD, _STORE = pine.Load(), pine.Store()
_END = ("end", "")


class NotPine(ValueError):
    """A text that is no Pine, or none the exporter emits."""


@dataclass(frozen=True, slots=True)
class _Line:
    depth: int
    tokens: list[tuple[str, str]]


def parse_pine(text: str) -> pine.Script:
    """Return the tree of a script.

    Raises:
        NotPine: naming what was found.
    """
    lines = list(_lines(text))
    body, rest = _block(lines, 0)
    if rest:
        raise NotPine(f"indented by {rest[0].depth} where 0 was expected")
    return pine.Script(body=body, annotations=[line for line in text.splitlines() if line.startswith("//@")])


def _lines(text: str) -> Iterator[_Line]:
    """Yield logical lines: a parenthesis left open continues on the next one."""
    held: list[tuple[str, str]] = []
    depth = 0
    for raw in text.splitlines():
        if raw.startswith("//") or not raw.strip():
            continue
        if not held:
            indent = len(raw) - len(raw.lstrip(" "))
            if indent % 4:
                raise NotPine(f"indented by {indent} blanks")
            depth = indent // 4
        held += _tokens(raw)
        if sum(token in {"(", "["} for _, token in held) == sum(token in {")", "]"} for _, token in held):
            yield _Line(depth, held)
            held = []
    if held:
        raise NotPine("a parenthesis stays open")


def _tokens(raw: str) -> Iterator[tuple[str, str]]:
    place = 0
    while place < len(raw):
        found = _TOKEN.match(raw, place)
        if found is None:
            raise NotPine(f"{raw[place:]!r}")
        place = found.end()
        if found.lastgroup != "blank":
            yield str(found.lastgroup), found[0]


def _block(lines: list[_Line], depth: int) -> tuple[list[pine.AST], list[_Line]]:
    body = []
    while lines and lines[0].depth == depth:
        line, lines = lines[0], lines[1:]
        parser = _Parser(line.tokens)
        node = parser.statement()
        parser.expect_end()
        if isinstance(node, pine.FunctionDef):
            node.body, lines = _block(lines, depth + 1)
        elif isinstance(node, pine.If):
            node.body, lines = _block(lines, depth + 1)
            node = pine.Expr(value=node)
        body.append(node)
    return body, lines


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens, self._place = tokens, 0

    def statement(self) -> pine.AST:
        """Return one statement; blocks are filled in by the caller."""
        words = [token for _, token in self._tokens]
        if words[0] == "if":
            self._take("if")
            return pine.If(test=self._expression(), body=[], orelse=[])
        if words[-1] == "=>":
            return self._function()
        if words[0] in {"var", "["} or words[1:2] in (["="], [":="]):
            return self._assignment(words)
        return pine.Expr(value=self._expression())

    def _assignment(self, words: list[str]) -> pine.AST:
        if words[0] == "var":
            self._take("var")
            kind = self._name(_LOAD)
            return self._assign(self._name(_STORE), type=kind, mode=pine.Var())
        if words[0] == "[":
            self._take("[")
            return self._assign(pine.Tuple(elts=list(self._listed("]", lambda: self._name(_STORE))), ctx=_STORE))
        if words[1] == "=":
            return self._assign(self._name(_STORE))
        target = self._name(_STORE)
        self._take(":=")
        return pine.ReAssign(target=target, value=self._expression())

    def expect_end(self) -> None:
        """Refuse what is left over."""
        if self._next() != _END:
            raise NotPine(f"{self._next()[1]!r} after the end of {self._tokens}")

    def _function(self) -> pine.FunctionDef:
        name = self._word()
        self._take("(")
        params = list(self._listed(")", self._param))
        self._take("=>")
        return pine.FunctionDef(name=name, args=params, body=[], method=0, export=0, annotations=[])

    def _param(self) -> pine.Param:
        kind = self._name(_LOAD)
        return pine.Param(name=self._word(), type=kind)

    def _assign(self, target: pine.AST, **more: pine.AST) -> pine.Assign:
        self._take("=")
        return pine.Assign(target=target, value=self._expression(), annotations=[], **more)

    def _expression(self) -> pine.AST:
        test = self._joined("or", pine.Or, lambda: self._joined("and", pine.And, lambda: self._level(0)))
        if self._next()[1] != "?":
            return test
        self._take("?")
        body = self._expression()
        self._take(":")
        return pine.Conditional(test=test, body=body, orelse=self._expression())

    def _joined(self, word: str, op: type, operand: Callable[[], pine.AST]) -> pine.AST:
        values = [operand()]
        while self._next() == ("word", word):
            self._take(word)
            values.append(operand())
        return values[0] if len(values) == 1 else pine.BoolOp(op=op(), values=values)

    def _level(self, level: int) -> pine.AST:
        if level == len(_LEVELS):
            return self._unary()
        left = self._level(level + 1)
        while self._next()[0] == "sign" and self._next()[1] in _LEVELS[level]:
            op = _LEVELS[level][self._take()]()
            right = self._level(level + 1)
            if level >= _ARITHMETIC:
                left = pine.BinOp(left=left, op=op, right=right)
            elif isinstance(left, pine.Compare) and self._tokens[self._place - 1][1] != ")":
                raise NotPine("comparisons in a chain")
            else:
                left = pine.Compare(left=left, ops=[op], comparators=[right])
        return left

    def _unary(self) -> pine.AST:
        if self._next() == ("word", "not"):
            self._take("not")
            return pine.UnaryOp(op=pine.Not(), operand=self._unary())
        if self._next() == ("sign", "-"):
            self._take("-")
            return pine.UnaryOp(op=pine.USub(), operand=self._unary())
        return self._primary()

    def _primary(self) -> pine.AST:
        node = self._atom()
        while self._next()[1] in {".", "(", "["} and self._next()[0] == "sign":
            match self._take():
                case ".":
                    node = pine.Attribute(value=node, attr=self._word(), ctx=_LOAD)
                case "(":
                    node = pine.Call(func=node, args=list(self._listed(")", self._argument)))
                case _:
                    node = pine.Subscript(value=node, slice=self._expression(), ctx=_LOAD)
                    self._take("]")
        return node

    def _argument(self) -> pine.Arg:
        following = self._tokens[self._place + 1][1] if self._place + 1 < len(self._tokens) else ""
        if self._next()[0] == "word" and following == "=":
            name = self._word()
            self._take("=")
            return pine.Arg(value=self._expression(), name=name)
        return pine.Arg(value=self._expression())

    def _atom(self) -> pine.AST:
        kind, token = self._next()
        match kind:
            case "number":
                self._take()
                return pine.Constant(value=float(token) if re.search("[.e]", token) else int(token))
            case "text":
                self._take()
                return pine.Constant(value=re.sub(r"\\(.)", r"\1", token[1:-1]))
            case "word" if token in {"true", "false"}:
                self._take()
                return pine.Constant(value=token == "true")
            case "word":
                return self._name(_LOAD)
            case _:
                self._take("(")
                inner = self._expression()
                self._take(")")
                return inner

    def _listed(self, close: str, part: Callable[[], pine.AST]) -> Iterator[pine.AST]:
        while self._next()[1] != close:
            yield part()
            if self._next()[1] != close:
                self._take(",")
        self._take(close)

    def _name(self, context: pine.AST) -> pine.Name:
        return pine.Name(id=self._word(), ctx=context)

    def _word(self) -> str:
        kind, token = self._next()
        if kind != "word":
            raise NotPine(f"{token!r} where a name was expected")
        return self._take()

    def _next(self) -> tuple[str, str]:
        return self._tokens[self._place] if self._place < len(self._tokens) else _END

    def _take(self, expected: str | None = None) -> str:
        token = self._next()[1]
        if self._next() == _END or (expected is not None and token != expected):
            raise NotPine(f"{token!r} where {expected!r} was expected, in {self._tokens}")
        self._place += 1
        return token
