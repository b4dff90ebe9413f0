"""Personal data, masked before text is stored.

>>> mask("Ring til mig på 22 33 44 55 eller mette@example.dk").text
'Ring til mig på [PHONE] eller [EMAIL]'

Each kind has finders: bounded regular expressions propose, libraries check (python-stdnum, phonenumbers), and the words
around decide what stays ambiguous (:mod:`.evidence`). All are linear in the length of the text.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from .contact import find_emails, find_urls
from .identity import find_identity_numbers
from .kinds import ALL_KINDS, Kind, Span
from .money import find_accounts, find_cards, find_ibans
from .names import find_names
from .phones import find_phones
from .places import find_addresses, find_plates

__all__ = ["ALL_KINDS", "Kind", "Masked", "Span", "find", "mask"]

Finder = Callable[[str, str | None], Iterator[Span]]

_DIGIT = re.compile("[0-9]")
_LINK = re.compile(r"://|www\.", re.IGNORECASE)
_AT = re.compile(r"@|[(\[{]\s?(?:at|a\b|snabel|krøllalfa|kråka)| snabel| krøllalfa", re.IGNORECASE)
# In order: where two overlap, the first keeps the characters.
_FINDERS: tuple[tuple[re.Pattern[str] | None, Finder], ...] = (
    (_LINK, find_urls),
    (_AT, find_emails),
    (_DIGIT, find_ibans),
    (_DIGIT, find_addresses),
    (_DIGIT, find_identity_numbers),
    (_DIGIT, find_cards),
    (_DIGIT, find_accounts),
    (_DIGIT, find_phones),
    (_DIGIT, find_plates),
    (None, find_names),
)
_MAX_PASSES = 4  # masking one number can leave its neighbour standing alone; more rounds only occur in hostile text


@dataclass(frozen=True)
class Masked:
    """The text with placeholders, and how many of each kind were masked."""

    text: str
    counts: Mapping[Kind, int]


def find(text: str, country: str | None = None) -> list[Span]:
    """The spans of personal data in ``text``, in order, never overlapping."""
    taken = bytearray(len(text))
    found = []
    for trigger, finder in _FINDERS:
        if trigger and not trigger.search(text):
            continue
        for span in finder(text, country):
            if taken.find(1, span.start, span.end) < 0:
                taken[span.start : span.end] = b"\1" * (span.end - span.start)
                found.append(span)
    return sorted(span for span in found if span.kind)


def _replace(text: str, spans: list[Span]) -> str:
    pieces, end = [], 0
    for span in spans:
        pieces += [text[end : span.start], span.kind.placeholder if span.kind else ""]
        end = span.end
    return "".join([*pieces, text[end:]])


def mask(text: str, *, kinds: frozenset[Kind] = ALL_KINDS, country: str | None = None) -> Masked:
    """Replace personal data of ``kinds`` by typed placeholders; masking twice is masking once.

    ``country`` (DK, SE, NO, FI, IS) is where the feedback comes from: it settles numbers that fit two countries.
    """
    counts: Counter[Kind] = Counter()
    for _ in range(_MAX_PASSES):
        spans = [span for span in find(text, country) if span.kind in kinds]
        if not spans:
            break
        counts.update(span.kind for span in spans if span.kind)
        text = _replace(text, spans)
    return Masked(text, counts)
