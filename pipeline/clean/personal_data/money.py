"""IBAN, account numbers of the Nordic banks, and payment cards."""

import re
from collections.abc import Iterator

from stdnum import iban, luhn
from stdnum.no import kontonr

from .evidence import DASH, END, SPACE, START, Cue, cue, cue_before, is_quantity
from .kinds import Kind, Span

_IBAN = re.compile(rf"(?<!\w)[A-Z]{{2}}[0-9]{{2}}(?:(?:{SPACE}|{DASH})?[A-Z0-9]){{11,30}}(?!\w)", re.IGNORECASE)
_NORDIC_IBAN = re.compile(
    r"(?:DK[0-9]{16}|FO[0-9]{16}|GL[0-9]{16}|NO[0-9]{13}|SE[0-9]{22}|FI[0-9]{16}|IS[0-9]{24})", re.IGNORECASE
)
_IBAN_WORD = re.compile(r"\biban\b[\w .:\-]{0,20}$", re.IGNORECASE)

_FOUR_BY_FOUR = rf"[2-6][0-9]{{3}}(?P<s>{SPACE}|{DASH}|\.)?[0-9]{{4}}(?(s)(?P=s))[0-9]{{4}}(?(s)(?P=s))[0-9]{{4}}"
_AMEX = rf"3[47][0-9]{{2}}(?:{SPACE}|{DASH})?[0-9]{{6}}(?:{SPACE}|{DASH})?[0-9]{{5}}"
_CARD = re.compile(rf"{START}(?<![0-9][ \-])(?:{_FOUR_BY_FOUR}|{_AMEX}){END}(?![ \-][0-9]{{4}})")
_CARD_SAID = re.compile(rf"{START}[2-6](?:(?:{SPACE}|{DASH})?[0-9]){{12,18}}{END}")

_NORWEGIAN = re.compile(rf"{START}[0-9]{{4}}(?P<s>[.]|{SPACE}|{DASH})[0-9]{{2}}(?P=s)[0-9]{{5}}{END}")
_DANISH = re.compile(
    rf"\breg(?:istrerings)?\.?{SPACE}?-?(?:nr|nummer|no)?\.?[ :]{{0,3}}"
    rf"(?P<number>[0-9]{{4}}[ ,/;\-\n]{{0,3}}(?:og |and )?"
    rf"(?:(?:bank)?konto|kto|account)?{SPACE}?-?(?:nr|nummer|no|number)?\.?[ :]{{0,3}}"
    rf"[0-9](?:{SPACE}?[0-9]){{5,9}})(?!\w)",
    re.IGNORECASE,
)
_SAID = re.compile(
    rf"{START}(?:[0-9]{{4}}(?:{DASH}[0-9])?,{SPACE}?)?"
    rf"[0-9](?:(?:{SPACE}{DASH}{SPACE}|{SPACE}|[.]|{DASH})?[0-9]){{4,19}}{END}"
)
_CLEARING = re.compile(
    r"\b(?:clearing|cl\.?)(?:nummer|nr|number)?\.?[ :]{0,3}"
    rf"(?P<number>[0-9]{{4}}(?:{DASH}[0-9])?[ ,/;\-\n]{{0,3}}(?:och |og |and )?"
    rf"(?:(?:bank)?konto|kto|account)(?:nummer|nr)?{SPACE}?(?:nr|nummer|no|number)?\.?[ :]{{0,3}}"
    r"[0-9](?:[ \-.]?[0-9]){5,13})(?!\w)",
    re.IGNORECASE,
)


def _iban_end(candidate: str) -> int:
    """Where the longest valid IBAN at the beginning of ``candidate`` ends, at a group's end; 0 when there is none."""
    gaps = [gap.start() for gap in re.finditer(rf"{SPACE}|{DASH}", candidate)]
    ends = [len(candidate), *reversed(gaps)]
    return next((end for end in ends if end >= 15 and iban.is_valid(re.sub(r"\W", "", candidate[:end]))), 0)


def find_ibans(text: str, country: str | None) -> Iterator[Span]:
    """IBANs whose check digits hold, or that are called one and have a Nordic length."""
    for match in _IBAN.finditer(text):
        end = _iban_end(match[0])
        if not end and _NORDIC_IBAN.fullmatch(re.sub(r"\W", "", match[0])):
            end = len(match[0]) if _IBAN_WORD.search(text[max(0, match.start() - 30) : match.start()]) else 0
        if end:
            yield Span(match.start(), match.start() + end, Kind.IBAN)


def find_cards(text: str, country: str | None) -> Iterator[Span]:
    """Payment cards: Luhn and an issuer's prefix, or the word for it."""
    for match in _CARD.finditer(text):
        said = cue(text, match.start(), match.end())
        if said is Cue.CARD or (said is not Cue.OTHER and luhn.is_valid(re.sub(r"\D", "", match[0]))):
            yield Span(match.start(), match.end(), Kind.CARD)
    for match in _CARD_SAID.finditer(text):
        if luhn.is_valid(re.sub(r"\D", "", match[0])) and cue(text, match.start(), match.end()) is Cue.CARD:
            yield Span(match.start(), match.end(), Kind.CARD)


def _is_norwegian(text: str, match: re.Match[str]) -> bool:
    said = cue(text, match.start(), match.end())
    return said is Cue.ACCOUNT or (said is None and kontonr.is_valid(re.sub(r"\D", "", match[0])))


def _is_account(text: str, match: re.Match[str]) -> bool:
    digits = sum(character.isdigit() for character in match[0])
    if not 6 <= digits <= 16 or is_quantity(text, match.end()):
        return False
    return cue_before(text, match.start()) is Cue.ACCOUNT or cue(text, match.start(), match.end()) is Cue.ACCOUNT


def find_accounts(text: str, country: str | None) -> Iterator[Span]:
    """Accounts: Danish reg. + konto, Swedish clearing + konto, bankgiro, plusgiro, Norwegian kontonr. (modulus 11)."""
    for pattern in (_DANISH, _CLEARING):
        for match in pattern.finditer(text):
            yield Span(match.start("number"), match.end("number"), Kind.ACCOUNT)
    for match in _NORWEGIAN.finditer(text):
        if _is_norwegian(text, match):
            yield Span(match.start(), match.end(), Kind.ACCOUNT)
    for match in _SAID.finditer(text):
        if _is_account(text, match):
            yield Span(match.start(), match.end(), Kind.ACCOUNT)
