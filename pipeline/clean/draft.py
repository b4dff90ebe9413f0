"""Draft -> feedback: the customer's words cleaned, masked, with their language and the author's pseudonym."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.clean.personal_data import ALL_KINDS, Kind, mask
from pipeline.clean.text import clean_text
from pipeline.pseudonym import author_key
from pipeline.records import Draft, Feedback, Language

MAX_TEXT = 1_000_000  # characters; what is longer is no message of a person
LanguageOf = Callable[[str, str | None, str | None], Language]


@dataclass(frozen=True)
class Cleaner:
    """What cleaning needs to know: the secret of the pseudonyms, the kinds to mask, the detector of languages."""

    secret: bytes
    language_of: LanguageOf
    kinds: frozenset[Kind] = ALL_KINDS

    def __call__(self, draft: Draft, channel: str, product: str | None, country: str | None) -> Feedback:
        """`product` and `country` are the source's own, used where the draft has none."""
        country = draft.country or country
        notes: Counter[str] = Counter(draft.notes)
        if len(draft.text) > MAX_TEXT:
            notes["characters_cut"] = len(draft.text) - MAX_TEXT
        text = self.masked(draft.text[:MAX_TEXT], country, notes)
        title = self.masked(draft.title, country, notes) if draft.title else None
        author = (draft.author or "").strip()
        return Feedback(
            external_id=draft.external_id,
            channel=channel,
            text=text,
            title=title,
            language=self.language_of(f"{title or ''}\n{text}".strip(), draft.language, country),
            created_at=draft.created_at,
            updated_at=draft.updated_at,
            thread_id=draft.thread_id,
            author_key=author_key(self.secret, author) if author else None,
            product=draft.product or product,
            country=country,
            rating=draft.rating,
            rating_max=draft.rating_max if draft.rating is not None else None,
            url=draft.url,
            notes=dict(notes),
        )

    def masked(self, text: str, country: str | None, notes: Counter[str]) -> str:
        masked = mask(clean_text(text), kinds=self.kinds, country=country)
        notes.update({f"masked_{kind.lower()}": count for kind, count in masked.counts.items()})
        return masked.text
