"""The records that pass between the stages. All are frozen; all times are aware and in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class RawItem:
    """One item as the vendor gave it.

    `updated_at` orders the versions of an item: an older one never replaces a newer one. `deleted_at` makes this
    version a tombstone.
    """

    external_id: str
    payload: Json
    updated_at: datetime | None = None
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Rejected:
    """Something a source delivered that cannot even be told apart as an item, with the reason."""

    payload: str
    reason: str
    external_id: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """What one request or one block of a file gave, and where reading goes on. It lands in one transaction."""

    stream: str
    cursor: Json
    items: tuple[RawItem, ...] = ()
    rejected: tuple[Rejected, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A customer's words as the source tells them, before cleaning and masking.

    `author` is whatever identifies the person at the source (an address, an id, a name); only its keyed pseudonym is
    stored. `language` is what the platform says. `notes` count what a parser cut, by kind.
    """

    external_id: str
    text: str
    created_at: datetime
    title: str | None = None
    updated_at: datetime | None = None
    thread_id: str | None = None
    author: str | None = None
    product: str | None = None
    country: str | None = None
    language: str | None = None
    rating: float | None = None
    rating_max: float | None = None
    url: str | None = None
    notes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Language:
    """An ISO 639-1 code ("und" where there is no language), who said so, and how sure that is (0 to 1)."""

    code: str
    source: str  # platform, detector or uncertain
    confidence: float


@dataclass(frozen=True, slots=True)
class TopicScore:
    topic: str
    probability: float
    polarity: str


@dataclass(frozen=True, slots=True)
class Score:
    """What the model says of one text; the three probabilities sum to 1."""

    p_negative: float
    p_neutral: float
    p_positive: float
    topics: tuple[TopicScore, ...] = ()

    @property
    def sentiment(self) -> str:
        by_name = {"negative": self.p_negative, "neutral": self.p_neutral, "positive": self.p_positive}
        return max(by_name, key=by_name.__getitem__)


NO_WORDS = Score(p_negative=0.0, p_neutral=1.0, p_positive=0.0)  # of a text without a character that says anything


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run did, for the run log and for people."""

    read: int = 0
    new: int = 0
    changed: int = 0
    deleted: int = 0
    quarantined: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(
            self.read + other.read,
            self.new + other.new,
            self.changed + other.changed,
            self.deleted + other.deleted,
            self.quarantined + other.quarantined,
        )


@dataclass(frozen=True, slots=True)
class Feedback:
    """A customer's words, cleaned and masked: one row of the `feedback` table."""

    external_id: str
    channel: str
    text: str
    title: str | None
    language: Language
    created_at: datetime
    updated_at: datetime | None = None
    deleted_at: datetime | None = None
    thread_id: str | None = None
    author_key: str | None = None
    product: str | None = None
    country: str | None = None
    rating: float | None = None
    rating_max: float | None = None
    url: str | None = None
    notes: Mapping[str, int] = field(default_factory=dict)

    @property
    def scored_text(self) -> str:
        return scored_text(self.channel, self.title, self.text)


def scored_text(channel: str, title: str | None, text: str) -> str:
    """What the model reads. The subject of a mail is left out: in an answer it is somebody else's."""
    return f"{title}\n{text}".strip() if title and channel != "email" else text
