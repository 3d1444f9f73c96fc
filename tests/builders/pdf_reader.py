"""Reads the words of a PDF back through its own character maps: what a reader sees, not what was handed to typst."""

import re
import zlib

_OBJECT = re.compile(rb"(?:^|\n)(\d+) 0 obj\n(.*?)\nendobj", re.DOTALL)
_TOKEN = re.compile(rb"\(|/(f\d+) [\d.]+ Tf|(?<=\s)(ET)\s", re.DOTALL)
_ESCAPES = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def pages_of(pdf: bytes) -> list[str]:
    """Return the text of every page in its drawing order, one line per run of text; pictures are left out."""
    objects = {int(found[1]): found[2] for found in _OBJECT.finditer(pdf)}
    pages = [body for body in objects.values() if re.search(rb"/Type/Page\b(?!s)", body)]
    return [_text(objects, page) for page in pages]


def _text(objects: dict[int, bytes], page: bytes) -> str:
    resources = objects[_reference(page, "Resources")]
    named = re.findall(rb"/(f\d+) (\d+) 0 R", resources)
    maps = {name.decode(): _characters(objects, objects[int(number)]) for name, number in named}
    lines, line, font, place = [], "", "", 0
    content = _stream(objects[_reference(page, "Contents")])
    while (found := _TOKEN.search(content, place)) is not None:
        place = found.end()
        if found[1]:
            font = found[1].decode()
        elif found[2]:
            lines, line = [*lines, line], ""
        else:
            place = _closing(content, place)
            codes = _unescaped(content[found.end() : place - 1])
            line += "".join(maps[font].get(codes[i : i + 2], "?") for i in range(0, len(codes), 2))
    return "\n".join(lines)


def _closing(content: bytes, place: int) -> int:
    """Return the place behind a string; balanced parentheses within need no escape."""
    depth = 1
    while depth:
        sign = content[place : place + 1]
        place += 2 if sign == b"\\" else 1
        depth += (sign == b"(") - (sign == b")")
    return place


def _characters(objects: dict[int, bytes], font: bytes) -> dict[bytes, str]:
    rows = re.findall(rb"<([0-9A-F]{4})> <([0-9A-F]+)>\n", _stream(objects[_reference(font, "ToUnicode")]))
    return {bytes.fromhex(code.decode()): bytes.fromhex(text.decode()).decode("utf-16-be") for code, text in rows}


def _reference(body: bytes, name: str) -> int:
    found = re.search(rf"/{name} (\d+) 0 R".encode(), body)
    assert found is not None, name
    return int(found[1])


def _stream(body: bytes) -> bytes:
    found = re.search(rb"stream\r?\n(.*)\r?\nendstream", body, re.DOTALL)
    assert found is not None
    return zlib.decompress(found[1]) if b"FlateDecode" in body else found[1]


def _unescaped(text: bytes) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        code = found[1]
        return bytes([int(code, 8)]) if code.isdigit() else _ESCAPES.get(code, code)

    return re.sub(rb"\\([0-7]{3}|.)", one, text, flags=re.DOTALL)
