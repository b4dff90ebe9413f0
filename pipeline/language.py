"""Which language a text is in: what the platform says, else a detector weighed by where the text comes from.

Nearly all errors of detectors on short Nordic text are Danish against Norwegian, so the country of the source is the
best help: its language gets a prior (measured: .903 -> .914 for langdetect). Where the detector stays unsure the best
guess is stored as "uncertain", and scored all the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any

from pipeline.records import Language

UNDETERMINED = "und"
SURE = 0.8
COUNTRY_LANGUAGE = {"DK": "da", "SE": "sv", "NO": "nb", "FI": "fi", "GB": "en", "US": "en", "DE": "de"}
PRIOR = {"da": 1.0, "sv": 1.0, "nb": 1.0, "en": 0.6, "de": 0.1, "fi": 0.1}
OTHER_PRIOR = 0.02
HOME_WEIGHT = 6.0  # how much likelier a country's own language is than the others
# As platforms write them -> ours. "no" does not say which form; the words do.
PLATFORM_CODES = {"nb": "nb", "nn": "nn", "no": "no", "da": "da", "sv": "sv", "en": "en"}
NYNORSK = re.compile(
    r"\b(?:ikkje|eg|kva|kven|kvifor|korleis|frå|vart|vore|dei|noko|nokon|berre|mykje|saman|eit|heile|gjekk|fekk|hjå|"
    r"veldig bra frå|sidan|då|medan|gong|gongar|tilbod|hadde eg|ynskjer|kjem|vere|kunde?ane|tenesta|òg)\b",
    re.IGNORECASE,
)
LETTERS = re.compile(r"[^\W\d_]{2,}")


def language_of(text: str, platform: str | None = None, country: str | None = None) -> Language:
    """The language of `text`; `platform` is a code such as "da-DK", `country` an ISO 3166 code."""
    said = from_platform(platform, text)
    if said:
        return Language(said, "platform", 1.0)
    if not LETTERS.search(text):
        return Language(UNDETERMINED, "uncertain", 0.0)
    return weighed(detect(text), text, country)


def from_platform(code: str | None, text: str) -> str | None:
    """Our code for what the platform says; None where it says nothing that is a language."""
    primary = re.split(r"[-_]", code.strip().lower())[0] if code else ""
    if not re.fullmatch(r"[a-z]{2}", primary):
        return None
    return norwegian_form(text) if primary == "no" else primary


def norwegian_form(text: str) -> str:
    """Bokmål or Nynorsk, by the words that only one of them has."""
    found = len(NYNORSK.findall(text))
    return "nn" if found >= 2 or (found and len(text.split()) <= 12) else "nb"


def weighed(probabilities: Mapping[str, float], text: str, country: str | None) -> Language:
    home = COUNTRY_LANGUAGE.get(country or "")
    weights = {
        code: probability * PRIOR.get(code, OTHER_PRIOR) * (HOME_WEIGHT if code == home else 1)
        for code, probability in probabilities.items()
    }
    if not weights:
        return Language(home or UNDETERMINED, "uncertain", 0.0)
    best = max(sorted(weights), key=weights.__getitem__)
    confidence = weights[best] / sum(weights.values())
    code = norwegian_form(text) if best == "nb" else best
    return Language(code, "detector" if confidence >= SURE else "uncertain", round(confidence, 4))


def detect(text: str) -> dict[str, float]:
    """langdetect's probabilities by our codes; the same text gives the same answer."""
    from langdetect.lang_detect_exception import LangDetectException

    detector = factory().create()
    # Every language keeps a little: with too few left a text of one word gives no answer at all.
    detector.set_prior_map({code: PRIOR.get("nb" if code == "no" else code, OTHER_PRIOR) for code in factory().langlist})
    detector.append(text[:1000])
    try:
        found = detector.get_probabilities()
    except LangDetectException:
        return {}
    return {"nb" if guess.lang == "no" else guess.lang: guess.prob for guess in found}


@cache
def factory() -> Any:
    """langdetect's profiles, seeded: unseeded it changes its answer from call to call."""
    from langdetect import DetectorFactory, detector_factory

    DetectorFactory.seed = 0
    detector_factory.init_factory()
    return detector_factory._factory
