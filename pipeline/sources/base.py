"""What a source is, and how one is made from its settings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from importlib import import_module
from typing import Protocol

from pipeline.records import Draft, Json, Page
from pipeline.settings import SourceSettings
from pipeline.sources.catalogue import KINDS


class Source(Protocol):
    """Reads one configured source.

    `pages` yields what is new since the cursors (by stream); each page is landed with its cursor before the next is
    asked for, so reading can stop anywhere and go on. `drafts` turns the payload of one item into customers' words:
    several for a conversation, none for what is no customer's (then `Skip` says why). Both raise only KlangErrors.
    """

    def pages(self, cursors: Mapping[str, Json]) -> Iterator[Page]: ...

    def drafts(self, payload: Json) -> Iterable[Draft]: ...


class Skip(Exception):  # noqa: N818 - not an error
    """An item that holds no customer's words, with the reason in one word: auto_reply, bounce, …"""


def make_source(settings: SourceSettings) -> Source:
    source: Source = import_module(KINDS[settings.kind].module).Source(settings)
    return source


def channel_of(settings: SourceSettings) -> str:
    return str(settings.options.get("channel", KINDS[settings.kind].channel))
