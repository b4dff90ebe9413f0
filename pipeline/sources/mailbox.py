"""The kind `mailbox`: customers' mails in an mbox file or a Maildir folder.

The position is a number of messages in an mbox, which is read from its start only where it did more than grow, and a
set of file names in a Maildir. A message is known by its Message-ID, so one that comes twice is one item. The payload
keeps the whole message, base64-encoded.
"""

from __future__ import annotations

import base64
import hashlib
import mailbox
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path

from pipeline.clean.message import MailMessage, parse_message
from pipeline.errors import PermanentError, RecordError
from pipeline.records import Draft, Json, Page, RawItem, Rejected
from pipeline.settings import SourceSettings
from pipeline.sources.base import Skip
from pipeline.sources.rows import fingerprint

BLOCK = 200
MAX_MESSAGE = 25 * 1024 * 1024  # bytes; the customary limit of mail servers


class Source:
    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self.path = settings.folder / settings.options["path"]
        self.own_domains = frozenset(map(str.lower, settings.options.get("own_domains", ())))

    def pages(self, cursors: Mapping[str, Json]) -> Iterator[Page]:
        if self.path.is_dir():
            return self.maildir_pages(cursors)
        return self.mbox_pages(cursors)

    def mbox_pages(self, cursors: Mapping[str, Json]) -> Iterator[Page]:
        stream, content = self.path.name, fingerprint(self.path)
        done = cursors.get(stream, {})
        if done.get("content") == content and done.get("complete"):
            return
        known = {"content": content, "bytes": self.path.stat().st_size}
        only_grown = bool(done) and fingerprint(self.path, int(done.get("bytes", 0))) == done["content"]
        # The last message is read again: it may have been half written.
        end = max(int(done["messages"]) - 1, 0) if only_grown else 0
        box = mailbox.mbox(self.path, create=False)
        try:
            messages = islice(iterate_bytes(box), end, None)
            while taken := list(islice(messages, BLOCK)):
                end += len(taken)
                yield page(stream, {**known, "messages": end}, taken)
        finally:
            box.close()
        yield Page(stream, {**known, "messages": end, "complete": True})

    def maildir_pages(self, cursors: Mapping[str, Json]) -> Iterator[Page]:
        """A Maildir's file names are unique and sort by time of delivery; flags after the colon may change."""
        for folder in ("cur", "new"):
            if not (self.path / folder).is_dir():
                raise PermanentError(
                    f"{self.path} has no folder {folder!r}; give the folder of a Maildir, or an mbox file"
                )
        files = {
            path.name.partition(":")[0]: path for folder in ("new", "cur") for path in (self.path / folder).iterdir()
        }
        done = set(cursors.get("names", {}).get("seen", ()))
        waiting = iter(sorted(set(files) - done))
        while names := list(islice(waiting, BLOCK)):
            mails = {name: mail for name in names if (mail := read_mail(files[name])) is not None}
            done = (done | set(mails)) & set(files)
            yield page("names", {"seen": sorted(done)}, list(mails.values()))

    def drafts(self, payload: Json) -> Iterable[Draft]:
        raw = base64.b64decode(payload["message"])
        message = parse_message(raw, self.own_domains)
        if message.kind != "customer":
            raise Skip(message.kind)
        if not message.text:
            raise Skip("no_customer_text")
        if message.sent_at is None:
            raise RecordError("the mail has no date that can be read")
        yield Draft(
            external_id=message.message_id,
            thread_id=message.thread_id,
            title=message.subject or None,
            text=message.text,
            created_at=message.sent_at,
            author=message.sender or None,
            notes=cut_notes(message),
        )


def read_mail(path: Path) -> bytes | None:
    """None where it is gone: a mail program renames a mail when it is read, and the next run finds it again."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_MESSAGE + 1)
    except (FileNotFoundError, IsADirectoryError):
        return None
    except OSError as error:
        raise PermanentError(f"cannot read {path}: {error.strerror}; check its permissions") from None


def iterate_bytes(box: mailbox.mbox) -> Iterator[bytes]:
    for key in box.iterkeys():
        with box.get_file(key) as file:
            yield file.read(MAX_MESSAGE + 1)


def page(stream: str, cursor: Json, messages: list[bytes]) -> Page:
    items, rejected = [], []
    for raw in messages:
        try:
            items.append(raw_item(raw))
        except RecordError as error:
            rejected.append(Rejected(payload=raw[:100_000].decode("utf-8", "replace"), reason=str(error)))
    return Page(stream, cursor, tuple(items), tuple(rejected))


def raw_item(raw: bytes) -> RawItem:
    if len(raw) > MAX_MESSAGE:
        raise RecordError(f"the mail is larger than {MAX_MESSAGE >> 20} MB")
    try:
        message = parse_message(raw)
    except ValueError as error:
        raise RecordError(str(error)) from None
    external_id = message.message_id or hashlib.sha256(raw).hexdigest()
    return RawItem(external_id, {"message": base64.b64encode(raw).decode()}, message.sent_at)


def cut_notes(message: MailMessage) -> dict[str, int]:
    return {f"{note.kind}_lines": note.lines for note in message.notes}
