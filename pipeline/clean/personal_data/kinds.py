"""The kinds of personal data, and the span in which one was found."""

from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    """What was found; the value is the word in the placeholder."""

    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CPR = "CPR"
    PERSONNUMMER = "PERSONNUMMER"
    FODSELSNUMMER = "FODSELSNUMMER"
    IBAN = "IBAN"
    ACCOUNT = "ACCOUNT"
    CARD = "CARD"
    ADDRESS = "ADDRESS"
    PLATE = "PLATE"
    URL = "URL"
    NAME = "NAME"

    @property
    def placeholder(self) -> str:
        """What stands in the text instead, for example ``[PHONE]``."""
        return f"[{self.value}]"


ALL_KINDS: frozenset[Kind] = frozenset(Kind)


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive); ``kind`` is None for what later rules must leave alone."""

    start: int
    end: int
    kind: Kind | None
