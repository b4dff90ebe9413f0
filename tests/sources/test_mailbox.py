"""The kind `mailbox`: an mbox that grows and a Maildir that a mail program tidies while it is read."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from pipeline.errors import RecordError
from pipeline.settings import SourceSettings
from pipeline.sources import mailbox
from pipeline.sources.base import Skip, make_source
from pipeline.warehouse.engine import reading
from pipeline.warehouse.landing import cursors_of, land
from pipeline.warehouse.tables import raw_item

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


def source(path: Path, **options: Any) -> Any:
    return make_source(SourceSettings("mail", "mailbox", {"path": path.name, **options}, folder=path.parent))


def mail(name: str, *headers: str, text: str = "Hvor er min pakke?") -> str:
    lines = [f"Message-ID: <{name}@post.example>", "From: kim@post.example", "Date: Fri, 20 Nov 2026 10:00:00 +0100"]
    return "\n".join([*lines, *headers, "", text, ""])


def envelope(*mails: str) -> str:
    return "".join(f"From kim@post.example Fri Nov 20 10:00:00 2026\n{one}\n" for one in mails)


def fetch(engine: Engine, path: Path) -> tuple[int, int]:
    """(new items, new versions of known ones)."""
    counts = [land(engine, "mail", page, NOW) for page in source(path).pages(cursors_of(engine, "mail"))]
    return sum(count.new for count in counts), sum(count.changed for count in counts)


def test_an_mbox_that_grew_is_read_from_where_it_ended(sqlite_engine: Engine, tmp_path: Path) -> None:
    """A mail that lies there twice, once by way of a list, is one item, and stays so while the box grows."""
    path = tmp_path / "in.mbox"
    twice = envelope(mail("1"), mail("1", "Received: from list.example"))
    path.write_text(twice)
    fetch(sqlite_engine, path)
    for number in (2, 3):
        path.write_text(path.read_text() + envelope(mail(str(number))))
        assert fetch(sqlite_engine, path) == (1, 0)
    with reading(sqlite_engine) as connection:
        assert connection.execute(select(func.count(raw_item.c.external_id.distinct()))).scalar() == 3


def test_a_mail_that_was_half_written_is_read_again(sqlite_engine: Engine, tmp_path: Path) -> None:
    path, whole = tmp_path / "in.mbox", envelope(mail("1"), mail("2", text="Det hele. Også enden."))
    path.write_text(whole[:-14])
    assert fetch(sqlite_engine, path) == (2, 0)
    path.write_text(whole)
    assert fetch(sqlite_engine, path) == (0, 1)


def test_an_mbox_that_was_tidied_is_read_from_its_start(sqlite_engine: Engine, tmp_path: Path) -> None:
    path = tmp_path / "in.mbox"
    path.write_text(envelope(mail("1"), mail("2"), mail("3")))
    fetch(sqlite_engine, path)
    path.write_text(envelope(mail("2"), mail("4")))
    assert fetch(sqlite_engine, path) == (1, 0)


def maildir(path: Path, *names: str) -> Path:
    for folder in ("cur", "new", "tmp"):
        (path / folder).mkdir(parents=True, exist_ok=True)
    for name in names:
        (path / "new" / name).write_text(mail(name))
    return path


def test_a_mail_that_was_read_by_a_person_is_no_new_one(sqlite_engine: Engine, tmp_path: Path) -> None:
    path = maildir(tmp_path / "box", "1", "2")
    assert fetch(sqlite_engine, path) == (2, 0)
    (path / "new" / "1").rename(path / "cur" / "1:2,S")
    assert fetch(sqlite_engine, path) == (0, 0)


def test_a_mail_that_moves_while_it_is_read_is_found_the_next_time(
    sqlite_engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mailbox, "BLOCK", 1)
    path = maildir(tmp_path / "box", "1", "2")
    pages = source(path).pages({})
    land(sqlite_engine, "mail", next(pages), NOW)
    (path / "new" / "2").rename(path / "cur" / "2:2,S")
    for page in pages:
        land(sqlite_engine, "mail", page, NOW)
    assert fetch(sqlite_engine, path) == (1, 0)


def test_what_lies_in_a_maildir_and_is_no_mail_is_passed_over(sqlite_engine: Engine, tmp_path: Path) -> None:
    path = maildir(tmp_path / "box", "1")
    (path / "cur" / "folder").mkdir()
    assert fetch(sqlite_engine, path) == (1, 0)


def drafts(content: str, **options: Any) -> list[Any]:
    item = mailbox.raw_item(content.encode())
    return list(source(Path("in.mbox"), **options).drafts(item.payload))


def test_a_customers_mail_becomes_a_draft() -> None:
    (draft,) = drafts(mail("1", "Subject: Min pakke"))
    assert (draft.external_id, draft.title, draft.text) == ("1@post.example", "Min pakke", "Hvor er min pakke?")
    assert (draft.author, draft.created_at) == ("kim@post.example", datetime(2026, 11, 20, 9, tzinfo=UTC))


@pytest.mark.parametrize(
    ("content", "options", "reason"),
    [
        (mail("1", "Auto-Submitted: auto-replied"), {}, "auto_reply"),
        (mail("1"), {"own_domains": ["Post.Example"]}, "own"),
    ],
)
def test_what_no_customer_wrote_is_skipped(content: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(Skip, match=reason):
        drafts(content, **options)


def test_a_mail_without_a_date_says_so() -> None:
    with pytest.raises(RecordError, match="no date"):
        drafts(mail("1").replace("Date:", "X-Date:"))


def test_a_mail_that_is_too_large_is_put_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailbox, "MAX_MESSAGE", 1 << 20)
    page = mailbox.page("in", {}, [mail("1", text="x" * (1 << 20)).encode(), mail("2").encode()])
    assert [item.external_id for item in page.items] == ["2@post.example"]
    assert page.rejected[0].reason == "the mail is larger than 1 MB"
