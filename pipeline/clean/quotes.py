"""What a mail quotes: lines marked with ">", attributions ("… skrev:"), header blocks ("Fra: … Emne: …"), forwards.

The rules look at whole lines and are linear in the text. Written for the words that Outlook, Gmail, Apple Mail,
Thunderbird, Samsung, Yahoo, Proton and webmails use in Danish, Swedish, Bokmål, Nynorsk and English.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from .text import words

MarkKind = Literal["attribution", "original", "forward"]

_FROM = words("fra från frå from von afsender avsändare avsender avsendar")
_SENT = words("sendt skickat skickades sent sänt gesendet")
_SUBJECT = words("emne ämne subject rubrik betreff ärende vedrørende")
_DATED = words("dato datum date")
_OTHER = words("til till to an cc bcc kopi kopia svar-til reply-to prioritet vigtighed viktighet importance vedhæftet")
_HEADERS = _FROM | _SENT | _SUBJECT | _DATED | _OTHER
_HEADER_BLOCK_LINES = 14

_WROTE = words("skrev skreiv skriver wrote writes citat citerar siterer quoting")
_OPENERS = words(
    "den on på i tor tors tir tirs ons man fre lør løs søn lau tis mån lör sön må ty on fr la su"
    " mandag tirsdag onsdag torsdag fredag lørdag søndag måndag tisdag lördag söndag måndag tysdag laurdag sundag"
    " mon tue wed thu fri sat sun monday tuesday wednesday thursday friday saturday sunday"
)
_PARTICLES = words("via hos i at from fra från frå af av of og och and de der da van von & / kl kl. den på")
_PRONOUNS = words("i jeg jag eg vi we you du dere de han hun she he ni hon ho dei man")
_ADDRESS = re.compile(r"[^\s@<>\[\]()]@[\w-]+\.\w")
_TIME = re.compile(r"(?<!\d)\d{1,2}[:.]\d{2}(?!\d)")
_DATE = re.compile(r"(?<!\d)(?:\d{4}|\d{1,2}[./]\d{1,2}[./]\d{2})(?!\d)")
_LOWER_VALUE = re.compile(r"[^:]*: *[a-zæøåäö]")
_ATTRIBUTION_LINES = 4
_ATTRIBUTION_LENGTH = 400

_ORIGINAL = words(
    "original message originalmessage oprindelig meddelelse besked oprindelige mail ursprungligt ursprungliga"
    " meddelande"
    " originalmeddelande brev opprinnelig melding opprinneleg opphavleg opphaveleg opprinnelige"
    " originalmelding e-post"
)
_ORIGINAL_CUES = words(
    "original originalmessage oprindelig oprindelige ursprungligt ursprungliga originalmeddelande opprinnelig"
    " opprinneleg"
    " opphavleg opphaveleg opprinnelige originalmelding"
)
_FORWARD = re.compile(
    r"(?:begin |start på |starten på |början på |påbegynt |begynnelsen på )?(?:den |det )?"
    r"(?:forwarded|fwd|videresendt|vidarebefordrat|vidarebefordrad|vidaresendt|vidaresend)"
    r" (?:message|mail|e-mail|email|besked|meddelelse|meddelande|brev|melding|e-post|epost|e-postmelding)",
)
_RULE_CHARACTERS = "-_=*–—· "
_REPLY_LINE = re.compile(r"##-.{0,200}-##")
_ANSWERS = r"(?:svar\w{0,3}|kommentar\w{0,3}|answers?|repl(?:y|ies)|comments?)"
_BELOW = (
    r"(?:nedenfor|nedenunder|herunder|nedan|nedanför|nedanfor|below|inline|rødt?|rött?|raudt?|red|under(?=[.:!,]|$))"
)
_ANSWERS_BELOW = re.compile(
    rf"\b(?:(?:mine|mina|mitt|mit|min|my|our|vores|våra|våre) {_ANSWERS}\b[^.!?\n]{{0,40}}|(?:se|sjå|see) {_ANSWERS} )"
    rf"\b{_BELOW}\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Mark:
    """The head of a quotation: what it is and how many lines it takes."""

    kind: MarkKind
    lines: int


def is_quoted(line: str) -> bool:
    """True for a line that a mail program marked with ">"."""
    return line.startswith(">")


def is_forward_head(text: str) -> bool:
    """True where `text` starts as a mail program starts a forwarded mail."""
    return _FORWARD.match(text[:200].strip(_RULE_CHARACTERS + "\n").lower()) is not None


def answers_are_below(own: str) -> bool:
    """True where the customer says that the answers stand inside the quotation ("se mine svar nedenfor")."""
    return _ANSWERS_BELOW.search(own) is not None


def mark_at(lines: Sequence[str], at: int) -> Mark | None:
    """The head of a quotation that starts on line `at`, or None."""
    line = lines[at]
    if not line:
        return None
    return _separator(lines, at) or _header_block(lines, at) or _attribution(lines, at)


def _separator(lines: Sequence[str], at: int) -> Mark | None:
    line = lines[at]
    if len(line) > 120:
        return None
    bare = line.strip(_RULE_CHARACTERS)
    if not bare and len(line) >= 5:
        return _ruled_header(lines, at)
    if _REPLY_LINE.search(line):
        return Mark("original", 1)
    ruled = line.startswith("--") or line.endswith("--")
    text = bare.lower().rstrip(":")
    if _FORWARD.fullmatch(text) and (ruled or line.endswith(":")):
        return _with_headers("forward", lines, at)
    tokens = text.split()
    if _ORIGINAL.issuperset(tokens) and not _ORIGINAL_CUES.isdisjoint(tokens):
        mark = _with_headers("original", lines, at)
        return mark if ruled or mark.lines > 1 else None
    return None


def _ruled_header(lines: Sequence[str], at: int) -> Mark | None:
    """A line drawn above a header block belongs to it."""
    following = _next_line(lines, at + 1)
    block = _header_block(lines, following) if following < len(lines) else None
    return Mark(block.kind, following - at + block.lines) if block else None


def _with_headers(kind: MarkKind, lines: Sequence[str], at: int) -> Mark:
    following = _next_line(lines, at + 1)
    if following >= len(lines):
        return Mark(kind, 1)
    below = _header_block(lines, following) or _attribution(lines, following)
    return Mark(kind, following - at + below.lines if below else 1)


def _header_block(lines: Sequence[str], at: int) -> Mark | None:
    """Outlook's and others' block of mail headers; a journey ("Fra: København, Til: Aarhus") is none."""
    if _header_name(lines[at]) not in _FROM | _SENT | _DATED:
        return None
    names: set[str] = set()
    last, text = at, ""
    for index in range(at, min(at + _HEADER_BLOCK_LINES, len(lines))):
        name = _header_name(lines[index])
        if not lines[index] or (not name and index - last > 2):
            break
        if name:
            names.add(name)
            last, text = index, text + lines[index]
    certain = names & _SENT or _ADDRESS.search(text) or (names & _SUBJECT and not _LOWER_VALUE.match(text))
    more = _next_line(lines, last + 1) < len(lines)
    return Mark("original", last - at + 1) if names & _FROM and len(names) > 1 and certain and more else None


def _header_name(line: str) -> str:
    name, colon, _ = line[:40].partition(":")
    name = name.strip(" *_").lower()
    return name if colon and name in _HEADERS else ""


def _attribution(lines: Sequence[str], at: int) -> Mark | None:
    """ "Den 3. jan. 2026 kl. 10.15 skrev Anna <anna@example.com>:", broken over up to four lines."""
    start = lines[at][:200]
    first = start.split(" ", 1)[0].strip(".,").lower()
    if first not in _OPENERS and not first[:1].isdigit() and "skr" not in start and not _ADDRESS.search(start):
        return None
    joined = ""
    for count, line in enumerate(lines[at : at + _ATTRIBUTION_LINES], start=1):
        if not line or len(joined) + len(line) > _ATTRIBUTION_LENGTH:
            return None
        joined = f"{joined} {line}".strip()
        if line.endswith(":"):
            return Mark("attribution", count) if _is_attribution(joined) else None
    return None


def _is_attribution(text: str) -> bool:
    tokens = [token.strip(",:()").lower() for token in text.split()]
    if _WROTE.isdisjoint(tokens):
        return False
    if _ADDRESS.search(text):
        return bool(_TIME.search(text) or _DATE.search(text)) or len(tokens) < 8
    return bool(_TIME.search(text) and _DATE.search(text)) and _names_somebody(text)


def _names_somebody(text: str) -> bool:
    """No lower-case word between the date and the colon: "Den 3. januar 2026 kl. 9.30 skrev jeg til jer:" is"
    " a sentence."""
    tokens = [token.strip(",:()\"'") for token in text.split()]
    wrote = next(index for index, token in enumerate(tokens) if token.lower() in _WROTE)
    name = tokens[wrote + 1 :] or tokens[max(0, wrote - 1) : wrote]
    lowered = {word.lower() for word in name if word}
    return bool(lowered - _PRONOUNS) and all(not word or not word[0].islower() or word in _PARTICLES for word in name)


def has_address(lines: Sequence[str]) -> bool:
    """True where a mail address stands in `lines`."""
    return any(_ADDRESS.search(line) for line in lines)


def _next_line(lines: Sequence[str], at: int) -> int:
    """The index of the first line from `at` on that is not blank."""
    while at < len(lines) and not lines[at]:
        at += 1
    return at
