"""Insert-or-update in one statement, on both databases."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, func, select

from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.tables import view_version
from pipeline.warehouse.upsert import CHUNK, chunks, is_one_of, upsert


def stored(engine: Engine) -> dict[str, str]:
    with reading(engine) as connection:
        return dict(connection.execute(select(view_version)).tuples().all())


def row(name: str, value: str) -> dict[str, str]:
    return {"name": name, "definition_hash": value}


def test_without_an_update_a_row_that_stands_is_left_alone(engine: Engine) -> None:
    with writing(engine) as connection:
        upsert(connection, view_version, [row("a", "old")], ("name",))
        upsert(connection, view_version, [row("a", "new"), row("b", "new")], ("name",))
    assert stored(engine) == {"a": "old", "b": "new"}


def test_with_an_update_it_takes_the_new_values(engine: Engine) -> None:
    with writing(engine) as connection:
        for value in ("old", "new"):
            rows = [row("a", value)]
            upsert(connection, view_version, rows, ("name",), lambda new: {"definition_hash": new.definition_hash})
    assert stored(engine) == {"a": "new"}


@pytest.mark.parametrize("count", [0, 1, CHUNK, CHUNK * 2 + 1])
def test_any_number_of_rows_goes_in(engine: Engine, count: int) -> None:
    with writing(engine) as connection:
        upsert(connection, view_version, [row(str(number), "x") for number in range(count)], ("name",))
        assert connection.execute(select(func.count()).select_from(view_version)).scalar() == count


def test_chunks_keep_the_order_and_lose_nothing() -> None:
    assert list(chunks(range(5), 2)) == [[0, 1], [2, 3], [4]]
    assert list(chunks([])) == []


def test_a_condition_on_several_columns(engine: Engine) -> None:
    with writing(engine) as connection:
        upsert(connection, view_version, [row("a", "1"), row("b", "2"), row("c", "3")], ("name",))
        pairs = is_one_of((view_version.c.name, view_version.c.definition_hash), [("a", "1"), ("b", "3")])
        assert connection.execute(select(view_version.c.name).where(pairs)).scalars().all() == ["a"]
