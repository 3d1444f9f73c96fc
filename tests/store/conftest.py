"""Fixtures of repairs: a series with a bar in cents, one with a held bar, one with a missing bar."""

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any

import pytest
from repaired_series import BAD, NAN, RULE, RepairedSeries

from chandlery.market.symbols import AssetClass
from chandlery.store.universe import register_instrument
from chandlery.store.warehouse import Warehouse

Ask = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="module")
def repaired_letters() -> Iterator[int]:
    return count()


@pytest.fixture
def world(warehouse: Warehouse, ask: Ask, repaired_letters: Iterator[int]) -> RepairedSeries:
    with warehouse.write() as connection:
        instrument = register_instrument(
            connection,
            symbol=f"R{next(repaired_letters)}",
            asset_class=AssetClass.STOCKS,
            calendar="NYSE",
            name=None,
            source="vendor",
        )
    return RepairedSeries(warehouse, ask, instrument)


@pytest.fixture
def spoilt(world: RepairedSeries) -> RepairedSeries:
    world.answer(BAD, found={1: RULE})
    return world


@pytest.fixture
def withheld(world: RepairedSeries) -> RepairedSeries:
    world.answer({0: 10.0, 2: 12.0}, held={1: NAN})
    return world


@pytest.fixture
def hollow(world: RepairedSeries) -> RepairedSeries:
    world.answer({0: 10.0, 2: 12.0}, found={0: "minutes_are_complete"})
    return world
