"""Danish CPR, Swedish personnummer and samordningsnummer, Norwegian fødselsnummer and D-number.

A date must be there; check digits (python-stdnum) are evidence. Since 2007 a CPR number may fail its modulus 11
(cpr.dk, "Personnumre uden kontrolciffer (modulus 11 kontrol)"), so there it only settles doubtful cases.
"""

import re
from collections.abc import Iterator
from datetime import date

from stdnum import luhn
from stdnum.dk import cpr
from stdnum.no import fodselsnummer

from .evidence import DASH, END, SPACE, START, Cue, cue
from .kinds import Kind, Span

_D = "[0-9]{2}"
_TEN = re.compile(
    rf"{START}(?<![0-9]{DASH})(?P<century>(?:18|19|20)(?={_D}[01]))?"
    rf"(?P<date>{_D}(?P<dot>[./ ]|{DASH})?{_D}(?(dot)(?P=dot)){_D})"
    rf"(?P<sep>{SPACE}?(?:{DASH}|\+|/){SPACE}?|{SPACE})?(?P<serial>[0-9]{{4}}){END}(?!{DASH}[0-9])"
)
_ELEVEN = re.compile(
    rf"{START}(?<![0-9]{DASH})(?P<date>{_D}[. ]?{_D}[. ]?{_D})(?P<sep>{SPACE}?(?:{DASH}){SPACE}?|{SPACE}|\.)?"
    rf"(?P<serial>[0-9]{{3}}(?:{SPACE}|{DASH})?{_D}){END}(?!{DASH}[0-9])"
)
_SWEDISH = re.compile(r"[äö]|\b(?:och|jag|inte|mitt|från|av)\b", re.IGNORECASE)
_DANISH = re.compile(r"[æø]|\b(?:og|jeg|ikke|mit|af)\b", re.IGNORECASE)
_CPR_WORD = re.compile(r"\bcpr", re.IGNORECASE)


def _is_date(year: int, month: int, day: int) -> bool:
    """Whether the date exists in any century (a leap day in 1900 does not, in 2000 it does)."""
    try:
        date(2000 + year, month, day)
    except ValueError:
        return False
    return True


def _danish(digits: str) -> bool:
    day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    return _is_date(year, month, day - 60 if day > 60 else day)  # day + 60: a replacement CPR number


def _swedish(digits: str) -> bool:
    year, month, day = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    return _is_date(year, month, day - 60 if day > 60 else day)  # day + 60: a samordningsnummer


def _norwegian(digits: str) -> bool:
    """D-numbers add 40 to the day; synthetic ones of NAV, Skatteetaten and H-numbers add 40, 65 or 80 to the month."""
    day, month, year = int(digits[:2]), int(digits[2:4]), int(digits[4:6])
    months = (month - shift for shift in (0, 40, 65, 80))
    return any(_is_date(year, m, day - 40 if day > 40 else day) for m in months if 1 <= m <= 12)


def _has_check_digits(digits: str) -> bool:
    first, second = fodselsnummer.calc_check_digit1(digits), fodselsnummer.calc_check_digit2(digits)
    return digits[9:] == first + second


def _both(text: str, digits: str, start: int, country: str | None) -> Kind:
    """Danish or Swedish, where the digits allow both."""
    if _CPR_WORD.search(text, max(0, start - 30), start):
        return Kind.CPR
    if country in {"DK", "SE"}:
        return Kind.CPR if country == "DK" else Kind.PERSONNUMMER
    if _SWEDISH.search(text):
        return Kind.PERSONNUMMER
    if _DANISH.search(text) or cpr.checksum(digits) == 0:
        return Kind.CPR
    return Kind.PERSONNUMMER


def _is_mobile(text: str, digits: str, said: Cue | None, country: str | None) -> bool:
    """0701740605: a Swedish telephone rather than a Dane born on 7 January 1974."""
    if said is Cue.PHONE and digits.startswith("0"):
        return True
    if not re.match(r"07[02369]", digits) or country == "DK":
        return False
    return country == "SE" or _DANISH.search(text) is None


def _fits(text: str, match: re.Match[str], digits: str, country: str | None) -> tuple[bool, bool]:
    """Whether the digits can be a CPR number, and a personnummer, as far as form, check digits and words say."""
    said = cue(text, match.start(), match.end())
    joined = match["sep"] is not None and match["sep"].strip() != ""
    danish = _danish(digits) and not match["century"] and "+" not in (match["sep"] or "")
    swedish = _swedish(digits)
    if said is Cue.IDENTITY:
        return danish, swedish
    if not match["sep"] and not match["century"] and _is_mobile(text, digits, said, country):
        return False, False
    if said in {Cue.OTHER, Cue.ACCOUNT, Cue.CARD}:
        filed = _is_date(int(digits[:2]), int(digits[2:4]), int(digits[4:6]))  # YYMMDD-NNNN is a usual case number
        danish = danish and joined and cpr.checksum(digits) == 0 and not filed
        swedish = swedish and joined
    if match["dot"] and not joined:
        return False, False
    return danish, swedish and luhn.is_valid(digits)


def _ten_kind(text: str, match: re.Match[str], country: str | None) -> Kind | None:
    digits = re.sub(r"\D", "", match["date"]) + match["serial"]
    danish, swedish = _fits(text, match, digits, country)
    if danish and swedish and luhn.is_valid(digits):
        return _both(text, digits, match.start(), country)
    if danish:
        return Kind.CPR
    return Kind.PERSONNUMMER if swedish else None


def _eleven_kind(text: str, match: re.Match[str]) -> Kind | None:
    digits = re.sub(r"\D", "", match[0])
    if not _norwegian(digits):
        return None
    said = cue(text, match.start(), match.end())
    if said in {Cue.ACCOUNT, Cue.CARD}:
        return None
    return Kind.FODSELSNUMMER if said is Cue.IDENTITY or _has_check_digits(digits) else None


def find_identity_numbers(text: str, country: str | None) -> Iterator[Span]:
    """National identity numbers, with and without separators; ``country`` settles what fits two countries."""
    for match in _ELEVEN.finditer(text):
        if kind := _eleven_kind(text, match):
            yield Span(match.start(), match.end(), kind)
    for match in _TEN.finditer(text):
        if kind := _ten_kind(text, match, country):
            yield Span(match.start(), match.end(), kind)
