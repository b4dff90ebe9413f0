"""E-mail addresses, and links that carry a secret."""

import re
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

from .kinds import Kind, Span

# Local part and labels are bounded (RFC 5321) and start only where no such character precedes: linear time.
_LOCAL = r"(?<![\w.+%'&\-])[\w.+%'&\-]{1,64}"
_AT = r"(?:@|\s?[(\[{]\s?(?:at|a|snabel-?a|krøllalfa|kråka)\s?[)\]}]\s?|\s@\s| snabel-?a | krøllalfa )"
_DOT = r"(?:\.|\s?[(\[](?:dot|punktum|punkt|prikk)[)\]]\s?| dot | punktum )"
_DOMAIN = rf"[^\W_][\w\-]{{0,62}}(?:{_DOT}[^\W_][\w\-]{{0,62}}){{0,5}}{_DOT}[^\W\d_][\w\-]{{1,23}}"
_EMAIL = re.compile(_LOCAL + _AT + _DOMAIN, re.IGNORECASE)

_URL = re.compile(r"(?<!\w)(?:https?://|www\.)[^\s<>\"\[\]]{1,4000}", re.IGNORECASE)
_SECRET_KEY = re.compile(
    r"(?:.*[_\-])?(?:token|key|apikey|sig|signature|session|sessionid|sid|auth|authorization|secret|pass|password|pwd|code|otp"
    r"|hash|hmac|jwt|invite|invitation|reset|ticket|nonce|state|email|e-?mail|mail|phone|tlf|user|uid|userid|login|cpr)"
    r"|(?:access|session|auth|login|reset|verify)\w*|\w+(?:token|signature|secret|hash|session)",
    re.IGNORECASE,
)
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)
_PIECE = re.compile(r"[A-Za-z0-9]{16,}")
_JWT = re.compile(r"eyJ[\w\-]{10,}")
_SWITCH = re.compile(r"[0-9][A-Za-z]|[A-Za-z][0-9]|[a-z][A-Z]")


def _is_random(part: str) -> bool:
    """A long run that changes between letters, digits and cases often, as tokens do and words do not."""
    if _UUID.search(part) or _JWT.search(part):
        return True
    return any(len(_SWITCH.findall(piece)) >= 4 for piece in _PIECE.findall(part))


def _has_secret(url: str) -> bool:
    try:
        parts = urlsplit(url if "//" in url else f"//{url}")
    except ValueError:
        return True
    if "@" in url:
        return True
    pairs = parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(parts.fragment)
    if any(value and _SECRET_KEY.fullmatch(key) for key, value in pairs):
        return True
    return _is_random(parts.path) or _is_random(parts.query) or _is_random(parts.fragment)


def find_urls(text: str, country: str | None) -> Iterator[Span]:
    """Links: masked when they carry a secret or a person, otherwise kept whole, numbers and all."""
    for match in _URL.finditer(text):
        end = match.start() + len(match[0].rstrip(".,;:!?)'»”"))
        yield Span(match.start(), end, Kind.URL if _has_secret(text[match.start() : end]) else None)


def find_emails(text: str, country: str | None) -> Iterator[Span]:
    """E-mail addresses, also written "navn (at) firma.dk"."""
    for match in _EMAIL.finditer(text):
        yield Span(match.start(), match.end(), Kind.EMAIL)
