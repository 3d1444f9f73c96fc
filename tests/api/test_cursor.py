"""Cursors without a server."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chandlery.api.cursor import open_cursor, seal_cursor
from chandlery.api.refusals import BadCursor

SECRET = b"s" * 32
SIGNS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_="


@given(st.lists(st.text(st.characters(codec="utf-8")), max_size=3), st.text(st.characters(codec="utf-8")))
def test_what_was_sealed_is_opened(position: list[str], query: str) -> None:
    text = seal_cursor(position, query=query, secret=SECRET)
    assert open_cursor(text, query=query, secret=SECRET) == tuple(position)


@given(place=st.integers(0, 10_000), sign=st.sampled_from(SIGNS))
def test_any_changed_character_is_refused(place: int, sign: str) -> None:
    text = seal_cursor(("AAPL", "2024-01-02T14:30:00Z"), query="q", secret=SECRET)
    place %= len(text)
    changed = text[:place] + sign + text[place + 1 :]
    if changed != text:
        with pytest.raises(BadCursor):
            open_cursor(changed, query="q", secret=SECRET)


@given(st.text(max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(BadCursor):
        open_cursor(text, query="q", secret=SECRET)


def test_another_query_or_secret_is_refused() -> None:
    text = seal_cursor(("AAPL",), query="q", secret=SECRET)
    with pytest.raises(BadCursor):
        open_cursor(text, query="r", secret=SECRET)
    with pytest.raises(BadCursor):
        open_cursor(text, query="q", secret=b"t" * 32)
