"""Which language a text is in: what the platform says, else a detector weighed by where the text comes from.

Nearly all errors of detectors on short Nordic text are Danish against Norwegian, and Nynorsk against Bokmål, so the
country of the source is the best help: its language gets a prior. Where the detector stays unsure the best guess is
stored as "uncertain", and scored all the same. Klang's own detector knows Danish, Swedish, Bokmål, Nynorsk, English and
"other"; langdetect names the other, and can be chosen for all.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, Literal

from pipeline.language_model import LANGUAGES, MAX_CHARACTERS, probabilities
from pipeline.records import Language

Detector = Literal["klang", "langdetect"]

UNDETERMINED = "und"
SURE = 0.8  # of the answers above this 99 in 100 are right on the development texts, and one text in 17 is below
# A source's own languages, each so many times likelier than the others. On the development texts 20 takes the errors
# from 30 to 9 in 1,000 where the country is right, and to 78 where it is a wrong one.
HOME_WEIGHTS = {
    "DK": {"da": 20.0},
    "SE": {"sv": 20.0},
    "NO": {"nb": 20.0, "nn": 6.0},
    "FI": {"fi": 20.0, "sv": 4.0},
    "DE": {"de": 20.0},
    "GB": {"en": 20.0},
    "US": {"en": 20.0},
}
OTHER = "other"
# The detector learned from as many texts of each; customers write less of these.
PRIOR = {"nn": 0.6, OTHER: 0.3}
LANGDETECT_OURS = {"da", "sv", "no", "en"}
LANGDETECT_OTHERS = 0.02  # it knows 51 others
LETTERS = re.compile(r"[^\W\d_]")
ISLAND_LETTERS = re.compile(r"[ðþ]", re.IGNORECASE)
FAROESE = re.compile(r"^(?!.*þ).*(?:ø|\b(?:tað|ikki|ein|eitt|hevur|vóru)\b)", re.IGNORECASE | re.DOTALL)


def language_of(
    text: str, platform: str | None = None, country: str | None = None, detector: Detector = "klang"
) -> Language:
    """The language of `text`; `platform` is a code such as "da-DK", `country` an ISO 3166 code.

    The source of the answer is "platform" where that says a language, else "detector", or "uncertain" where the
    detector is less than SURE; the code is the best guess all the same, and `UNDETERMINED` for a text with no letters.
    """
    said = from_platform(platform, text)
    return Language(said, "platform", 1.0) if said else languages_of([text], country, detector)[0]


def languages_of(texts: Sequence[str], country: str | None = None, detector: Detector = "klang") -> list[Language]:
    """The languages of many texts from one country, as the detector finds them."""
    home = HOME_WEIGHTS.get((country or "").upper(), {})
    if detector == "langdetect":
        return [weighed(from_langdetect(text), text, home) for text in texts]
    found = probabilities(texts).tolist()
    return [weighed(named(row, text, home), text, home) for row, text in zip(found, texts, strict=True)]


def from_platform(code: str | None, text: str) -> str | None:
    """Our code for what the platform says; None where it says nothing that is a language."""
    primary = re.split(r"[-_]", code.strip().lower())[0] if code else ""
    if not re.fullmatch(r"[a-z]{2}", primary):
        return None
    return norwegian_form(text) if primary == "no" else primary


def norwegian_form(text: str) -> str:
    """Bokmål or Nynorsk, for a text that is known to be in one of them."""
    found = dict(zip(LANGUAGES, probabilities([text])[0].tolist(), strict=True))
    weights = HOME_WEIGHTS["NO"]
    return "nn" if found["nn"] * weights["nn"] > found["nb"] * weights["nb"] else "nb"


def weighed(likely: Mapping[str, float], text: str, home: Mapping[str, float]) -> Language:
    """The likeliest language of those in `likely`, with the weights of `home`; what stays "other" is only doubt."""
    weights = {code: value * home.get(code, 1.0) for code, value in likely.items()}
    best = max(sorted(weights.keys() - {OTHER}), key=weights.__getitem__, default=None)
    if best is None or not LETTERS.search(text):
        return Language(UNDETERMINED, "uncertain", 0.0)
    confidence = weights[best] / sum(weights.values())
    return Language(best, "detector" if confidence >= SURE else "uncertain", round(confidence, 4))


def named(row: Sequence[float], text: str, home: Mapping[str, float]) -> dict[str, float]:
    """Klang's probabilities times the prior, with "other" under langdetect's name for it if that is not one of ours."""
    likely = {code: value * PRIOR.get(code, 1.0) for code, value in zip(LANGUAGES, row, strict=True)}
    foreign = max((weight for code, weight in home.items() if code not in LANGUAGES), default=1.0)
    if likely[OTHER] * foreign <= max(value for code, value in likely.items() if code != OTHER):
        return likely
    name, certainty = foreign_name(text)
    return {**likely, name: likely[OTHER] * certainty, OTHER: likely[OTHER] * (1 - certainty)}


def foreign_name(text: str) -> tuple[str, float]:
    """The language that langdetect finds, and how sure it is; OTHER if it is one of ours or none."""
    if ISLAND_LETTERS.search(text):  # langdetect knows neither
        return ("fo" if FAROESE.search(text) else "is"), 1.0
    guesses = from_langdetect(text, others=1.0)
    name = max(sorted(guesses), key=guesses.__getitem__, default=OTHER)
    return (OTHER, 0.0) if name in LANGUAGES or name == OTHER else (name, guesses[name])


def from_langdetect(text: str, others: float = LANGDETECT_OTHERS) -> dict[str, float]:
    """langdetect's probabilities by our codes, `others` the prior of each language that is not ours.

    The same text gives the same answer.
    """
    from langdetect.lang_detect_exception import LangDetectException

    detector = factory().create()
    # Every language keeps a little: with too few left a text of one word gives no answer at all.
    detector.set_prior_map({code: 1.0 if code in LANGDETECT_OURS else others for code in factory().langlist})
    detector.append(text[:MAX_CHARACTERS].lower() if text.isupper() else text[:MAX_CHARACTERS])
    try:
        found = {guess.lang: guess.prob for guess in detector.get_probabilities()}
    except LangDetectException:
        return {}
    return {norwegian_form(text) if code == "no" else code: value for code, value in found.items()}


@cache
def factory() -> Any:
    """langdetect's profiles, seeded: unseeded it changes its answer from call to call."""
    from langdetect import DetectorFactory, detector_factory

    DetectorFactory.seed = 0
    detector_factory.init_factory()
    return detector_factory._factory
