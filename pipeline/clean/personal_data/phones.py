"""Telephone numbers: international ones, and the Nordic countries' own ways of writing them.

Candidates come from bounded expressions, so time is linear; phonenumbers (Google's libphonenumber) says which digits
are a number at all, and the words around say whether they are a telephone's (:mod:`.evidence`).
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

import phonenumbers

from .evidence import DASH, END, SEPARATOR, SPACE, START, Cue, cue
from .kinds import Kind, Span

_ALONE_AFTER = rf"(?!{SEPARATOR}[0-9]{{1,3}}(?![0-9]))(?!{DASH}[0-9]){END}"
_ALONE_BEFORE = rf"{START}(?<![0-9]{SEPARATOR})"

_INTERNATIONAL = re.compile(
    rf"(?<![\w+])\(?(?:\+{SPACE}?|00{SPACE}?)(?:45|46|47|298|299|35[48]|[1-9][0-9]{{0,2}})\)?"
    rf"(?:[ \u00a0\u2007\u2009\u202f./()\-\u2010-\u2014]{{0,3}}[0-9]){{5,13}}(?!\w)"
)
# Danish and Norwegian: eight digits. The first group of shapes is a telephone unless something says otherwise,
# the second only when a word says so (12 345 678 may be an amount).
_EIGHT = re.compile(
    _ALONE_BEFORE
    + rf"(?:[2-9][0-9](?P<a>{SEPARATOR})[0-9]{{2}}(?P=a)[0-9]{{2}}(?P=a)[0-9]{{2}}"
    + rf"|[2-9][0-9]{{3}}(?:{SPACE}|{DASH})[0-9]{{4}}(?!{SPACE}[0-9]{{4}}(?![0-9]))"
    + rf"|[489][0-9]{{2}}{SPACE}[0-9]{{2}}{SPACE}[0-9]{{3}})"
    + _ALONE_AFTER
)
_EIGHT_BARE = re.compile(rf"{START}(?<![#/])(?<![0-9]{DASH})[2-9][0-9]{{7}}{END}(?!{DASH}[0-9])")
_EIGHT_LOOSE = re.compile(
    rf"{_ALONE_BEFORE}(?:\(?(?:45|47)\)?{SEPARATOR}?)?[2-9](?:{SEPARATOR}{{0,3}}[0-9]){{7}}{END}(?!{SEPARATOR}[0-9])"
)
# Swedish (and Finnish): a trunk zero, an area code, and the subscriber's number.
_TRUNK = re.compile(
    rf"{START}(?<![0-9]{SEPARATOR})(?:\(?0[1-9][0-9]{{0,2}}\)?(?:{SPACE}?(?:{DASH}|/){SPACE}?|{SPACE})|07[0-9]\.)"
    rf"(?:[0-9]{{5,8}}|[0-9]{{2,4}}(?:[ \u00a0\u2007\u2009\u202f.\-\u2010-\u2013][0-9]{{2,4}}){{1,3}}){END}"
)
_TRUNK_BARE = re.compile(rf"{START}0[1-9][0-9]{{7,8}}{END}(?!{DASH}[0-9])")
_SEVEN = re.compile(rf"{_ALONE_BEFORE}[3-9][0-9]{{2}}(?:{DASH}|{SPACE})?[0-9]{{4}}{_ALONE_AFTER}")  # Icelandic

_YEARS = re.compile(r"(?:19|20)[0-9]{2}\D(?:19|20)[0-9]{2}")
_MONTH, _DAY = "(?:0[1-9]|1[0-2])", "(?:0[1-9]|[12][0-9]|3[01])"
_DATE = re.compile(f"(?:19|20)[0-9]{{2}}{_MONTH}{_DAY}|{_DAY}{_MONTH}20[0-3][0-9]")
_DATE_SHAPE = re.compile(r"\(?[0-9]{1,2}\D[0-9]{1,2}\D(?:19|20)[0-9]{2}")


def _valid(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False


def _possible(number: str) -> bool:
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(number, None))
    except phonenumbers.NumberParseException:
        return False


def _shortened(candidate: str) -> Iterator[str]:
    """The candidate, then without its last group, and so on."""
    yield candidate
    for cut in reversed([*re.finditer(rf"{SEPARATOR}+", candidate)]):
        yield candidate[: cut.start()]


def _plus(candidate: str) -> str:
    digits = re.sub(r"\(0\)", "", candidate)
    return "+" + re.sub(r"\D", "", digits).removeprefix("00")


def _international(text: str) -> Iterator[Span]:
    for match in _INTERNATIONAL.finditer(text):
        known = next((c for c in _shortened(match[0]) if _valid(_plus(c), None)), None)
        if known is None and "+" in match[0] and _possible(_plus(match[0])):
            known = match[0]
        if known:
            yield Span(match.start(), match.start() + len(known), Kind.PHONE)


def _steps_evenly(number: str) -> bool:
    """36 38 40 42: sizes, not a telephone."""
    groups = [int(group) for group in re.findall(r"[0-9]+", number)]
    steps = {after - before for before, after in pairwise(groups)}
    return len(groups) == 4 and len(steps) == 1 and steps <= {1, 2, 3, 4, 5, 6}


def _is_eight(text: str, match: re.Match[str]) -> bool:
    said = cue(text, match.start(), match.end())
    if said is Cue.PHONE:
        return True
    return said is None and not _YEARS.fullmatch(match[0]) and not _steps_evenly(match[0])


def _is_eight_bare(text: str, match: re.Match[str]) -> bool:
    said = cue(text, match.start(), match.end())
    if said or _DATE.fullmatch(match[0]):
        return said is Cue.PHONE
    return _valid(match[0], "DK") or _valid(match[0], "NO")


def _is_said(text: str, match: re.Match[str]) -> bool:
    return cue(text, match.start(), match.end()) is Cue.PHONE


def _is_trunk(text: str, match: re.Match[str]) -> bool:
    if _DATE_SHAPE.match(match[0]) or not (_valid(match[0], "SE") or _valid(match[0], "FI")):
        return False
    return cue(text, match.start(), match.end()) in {None, Cue.PHONE}


def _is_trunk_bare(text: str, match: re.Match[str]) -> bool:
    said = cue(text, match.start(), match.end())
    if said is Cue.PHONE:
        return True
    return said is None and re.match(r"07[02369]", match[0]) is not None and _valid(match[0], "SE")


def _candidates(country: str | None) -> Iterator[tuple[re.Pattern[str], Callable[[str, re.Match[str]], bool]]]:
    yield _TRUNK, _is_trunk
    yield _TRUNK_BARE, _is_trunk_bare
    yield _EIGHT, _is_eight
    yield _EIGHT_BARE, _is_said if country in {"SE", "FI"} else _is_eight_bare
    yield _EIGHT_LOOSE, _is_said
    if country == "IS":
        yield _SEVEN, _is_said


def find_phones(text: str, country: str | None) -> Iterator[Span]:
    """Telephone numbers; ``country`` (DK, NO, SE, FI, IS) decides what a number without a prefix may be."""
    yield from _international(text)
    for pattern, accept in _candidates(country):
        for match in pattern.finditer(text):
            if accept(text, match):
                yield Span(match.start(), match.end(), Kind.PHONE)
