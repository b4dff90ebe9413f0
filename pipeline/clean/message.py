"""RFC 5322 bytes to a `MailMessage`: who wrote when, in which thread, and the customer's own words.

The MIME tree is walked here and not by `email.message_from_bytes`, whose time grows with the depth times the lines and
whose memory grows with the number of parts: depth, parts and sizes are bounded below, so a hostile message costs no
more than a large one. Headers are parsed by the standard library.
"""

import binascii
import codecs
import hashlib
import quopri
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import Message
from email.parser import HeaderParser
from email.utils import getaddresses, parsedate_to_datetime
from typing import Literal

from pipeline.errors import RecordError

from .mail import Note, clean_mail, html_mail_text
from .text import normalise, words

MAX_MESSAGE_BYTES = 25 * 1024 * 1024
"""Of a longer message the first 25 MiB are read: its text stands before its attachments."""
MAX_TEXT_BYTES = 512 * 1024
"""Of a longer text part the first 512 KiB are read."""
MAX_HEADER_BYTES = 256 * 1024
MAX_PARTS = 500
MAX_DEPTH = 20

Kind = Literal["customer", "own", "auto_reply", "bounce", "receipt", "newsletter", "calendar", "encrypted"]

_HEADER_LENGTH = 2000
_ADDRESS_LIST_LENGTH = 20_000
_SUBJECT_LENGTH = 1000
_REFERENCES = 200
_MESSAGE_ID = re.compile(r"<([^<>\s]{1,990})>")
_END_OF_HEADER = re.compile(rb"\r?\n\r?\n|\r\r")
_FIRST_DELIMITER = re.compile(rb"\s{0,8}--(\S{1,200})\r?\n")
_HEADER_FIELD = re.compile(r"^[!-9;-~]+[ \t]*:", re.MULTILINE)
_AUTO_REPLY = re.compile(
    r"(?:autosvar|auto-?reply|auto-?svar|automatisk svar|automatiskt svar|automatic reply|automatisk besvarelse"
    r"|out of (?:the )?office|frånvaro|frånvarande|fravær|fråvær|fraværsassistent|ikke til stede|ikkje til stades"
    r"|ikke på kontoret|ej på kontoret|inte på kontoret|ferieautosvar|feriesvar|semestersvar|fraværsbesked)\b"
    r"\s*(?:[:\-–(]|$|fra\b|från\b|from\b)",
    re.IGNORECASE,
)
_HTML_STUB = re.compile(r"\bhtml\b", re.IGNORECASE)
_STUB_LENGTH = 400
_PGP_BLOCK = re.compile(
    r"-----BEGIN PGP (?:MESSAGE|PUBLIC KEY BLOCK)-----.*?(?:-----END PGP [A-Z ]{1,40}-----|\Z)", re.DOTALL
)
_PGP_HEAD = re.compile(r"-----BEGIN PGP SIGNED MESSAGE-----\r?\n(?:\w+: [^\n]*\n)*\r?\n")
_PGP_SIGNATURE = "-----BEGIN PGP SIGNATURE-----"
_CODECS_WITH_STATE = ("utf-16", "utf-32", "utf-7", "iso2022", "iso-2022", "hz", "euc", "shift", "gb", "big5")
_HIGH_BYTES = re.compile(rb"[\x80-\xff]+")
_PYTHON_CODECS = words("idna punycode unicode_escape raw_unicode_escape unicode-escape raw-unicode-escape undefined")
_LOOKS_LATIN = words("us-ascii ascii latin-1 iso8859-1 cp1252 utf-8")


@dataclass(frozen=True)
class MailMessage:
    """One mail. `text` is what its sender wrote; `kind` is "customer" where it should be scored.

    `message_id` and `references` stand without angle brackets; a message without an id has one made of its content.
    `sent_at` is in UTC, None where no header tells it. `problems` says what was wrong with the message.
    """

    message_id: str
    references: tuple[str, ...]
    sender: str
    sender_name: str
    recipients: tuple[str, ...]
    subject: str
    sent_at: datetime | None
    text: str
    attachments: tuple[str, ...]
    kind: Kind
    notes: tuple[Note, ...]
    problems: tuple[str, ...] = ()

    @property
    def thread_id(self) -> str:
        """The id of the first message of the conversation (RFC 5322, section 3.6.4)."""
        return self.references[0] if self.references else self.message_id


@dataclass(frozen=True)
class _Part:
    """A leaf of the MIME tree; `body` is still transfer-encoded."""

    headers: Message
    body: bytes

    @property
    def content_type(self) -> str:
        return self.headers.get_content_type()

    @property
    def is_attachment(self) -> bool:
        return self.headers.get_content_disposition() == "attachment" or self.content_type.split("/")[0] != "text"

    def name(self) -> str:
        """The file name on one line, or the content type of a part without one."""
        return _one_line(_decoded(self.headers.get_filename() or "")) or self.content_type


def parse_message(raw: bytes, own_domains: frozenset[str] = frozenset()) -> MailMessage:
    """The message in `raw`; mail from `own_domains` is of the kind "own". Raises ValueError where it is no"
    " message."""
    head, body = _split_head(raw[:MAX_MESSAGE_BYTES])
    headers = _parse_headers(head)
    if not headers.keys():
        raise RecordError("not a mail message: it does not start with header lines such as 'From: …'")
    parts = list(_leaves(headers, body))
    written, problems = _body_text(parts)
    problems += _limits_met(raw, parts)
    cleaned = clean_mail(written)
    sender, sender_name = _sender(headers, own_domains)
    return MailMessage(
        message_id=_message_id(headers, raw),
        references=_references(headers),
        sender=sender,
        sender_name=sender_name,
        recipients=tuple(address for address, _ in _addresses(headers, "To", "Cc")),
        subject=_subject(headers),
        sent_at=_sent_at(headers),
        text=cleaned.text,
        attachments=tuple(part.name() for part in parts if _is_named(part)),
        kind=_kind(headers, parts, sender, own_domains),
        notes=cleaned.notes,
        problems=tuple(problems),
    )


def _limits_met(raw: bytes, parts: list[_Part]) -> Iterator[str]:
    if len(raw) > MAX_MESSAGE_BYTES:
        yield f"only the first {MAX_MESSAGE_BYTES} of {len(raw)} bytes were read"
    if len(parts) >= MAX_PARTS:
        yield f"only the first {MAX_PARTS} parts were read"
    if any(part.headers.get_content_maintype() == "multipart" for part in parts):
        yield f"a part without a boundary, or nested more than {MAX_DEPTH} deep, was not read"


def decode_text(data: bytes, charset: str | None) -> str:
    """`data` as text, whatever it was declared to be.

    Valid UTF-8 is UTF-8 even where another charset is declared, since other Nordic text is next to never valid UTF-8.
    Bytes that are not are read as windows-1252, the superset of what senders call iso-8859-1, us-ascii and utf-8.
    """
    codec = _codec(charset)
    if codec and codec.startswith(_CODECS_WITH_STATE):
        return data.decode(codec, "replace")
    try:
        return _undo_double_encoding(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        if codec in ("iso8859-1", "cp1252"):
            return data.decode("cp1252", "ignore")
        return data.decode("utf-8" if codec is None or codec in _LOOKS_LATIN else codec, "klang-cp1252")


def _codec(charset: str | None) -> str | None:
    try:
        name = codecs.lookup((charset or "").strip("'\" ")[:60]).name
    except (LookupError, ValueError):
        return None
    return name if _is_text_codec(name) else None


def _is_text_codec(name: str) -> bool:
    """False for Python's "codecs" from bytes to bytes (zip, hex …) and those of its own source code."""
    return codecs.lookup(name)._is_text_encoding and name not in _PYTHON_CODECS


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """A codec error handler: the bytes above 127 from the wrong one on are windows-1252."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    run = _HIGH_BYTES.match(error.object, error.start)
    end = run.end() if run else error.end
    return error.object[error.start : end].decode("cp1252", "ignore"), end


codecs.register_error("klang-cp1252", _as_windows_1252)


def _undo_double_encoding(text: str) -> str:
    """ "SÃ¦lger" to "Sælger": UTF-8 that was read as windows-1252 and encoded again."""
    if "Ã" not in text:
        return text
    try:
        return text.encode("cp1252").decode()
    except UnicodeError:
        return text


def _split_head(data: bytes) -> tuple[bytes, bytes]:
    found = _END_OF_HEADER.search(data[: MAX_HEADER_BYTES * 2])
    if not found:
        return data[:MAX_HEADER_BYTES], b""
    return data[: min(found.start(), MAX_HEADER_BYTES)], data[found.end() :]


def _parse_headers(head: bytes) -> Message:
    text = decode_text(head, None).lstrip("\r\n\ufeff")
    if text.startswith(("From ", ">From ")):  # the envelope line of an mbox file
        text = text.partition("\n")[2]
    if not _HEADER_FIELD.match(text):
        return Message()
    headers = HeaderParser().parsestr(text + "\n\n")
    for name in ("Content-Type", "Content-Disposition"):  # the standard library is quadratic in their length
        if len(str(headers.get(name, ""))) > _HEADER_LENGTH:
            headers.replace_header(name, str(headers[name])[:_HEADER_LENGTH])
    return headers


def _leaves(headers: Message, body: bytes) -> Iterator[_Part]:
    """The parts that are no containers, in order; at most MAX_PARTS of them, from at most MAX_DEPTH levels."""
    waiting: list[tuple[Message, bytes, int]] = [(headers, body, 0)]
    for _ in range(MAX_PARTS):
        if not waiting:
            return
        headers, body, depth = waiting.pop()
        boundary = _boundary(headers, body)
        if not boundary or depth >= MAX_DEPTH:
            yield _Part(headers, body)
            continue
        inside = [_split_part(chunk) for chunk in _between(body, boundary, MAX_PARTS - len(waiting))]
        waiting += [(_parse_headers(head), content, depth + 1) for head, content in reversed(inside)]


def _boundary(headers: Message, body: bytes) -> str:
    """What parts a multipart body, also where the header forgot to say it; "" of a body that is none."""
    if headers.get_content_maintype() != "multipart":
        return ""
    first = _FIRST_DELIMITER.match(body)
    return headers.get_boundary() or (first.group(1).decode("utf-8", "replace") if first else "")


def _split_part(chunk: bytes) -> tuple[bytes, bytes]:
    """Header and body of a MIME part, which may have no header at all."""
    if chunk[:2] == b"\r\n" or chunk[:1] == b"\n":
        return b"", chunk
    return _split_head(chunk)


def _between(body: bytes, boundary: str, most: int) -> Iterator[bytes]:
    """The bytes between the boundary lines of a multipart body (RFC 2046, section 5.1.1)."""
    line = rb"^--" + re.escape(boundary.encode("utf-8", "replace")) + rb"(--)?[ \t]*\r?$\n?"
    delimiter = re.compile(line, re.MULTILINE)
    start: int | None = None
    for _, found in zip(range(most), delimiter.finditer(body), strict=False):
        if start is not None:
            yield body[start : found.start()].removesuffix(b"\n").removesuffix(b"\r")
        if found.group(1):
            return
        start = found.end()
    if start is not None:
        yield body[start:]


def _body_text(parts: list[_Part]) -> tuple[str, list[str]]:
    """What the message says, with its quotations, and what was wrong with it."""
    problems: list[str] = []
    plain = _joined(parts, "text/plain", problems)
    if _is_stub(plain):
        plain = _joined(parts, "text/html", problems) or plain
    if not plain.strip():
        plain = _attached_message(parts)
    return plain, problems


def _joined(parts: list[_Part], content_type: str, problems: list[str]) -> str:
    texts = []
    for part in parts:
        if part.content_type != content_type or part.is_attachment:
            continue
        data = _transfer_decoded(part)
        if len(data) > MAX_TEXT_BYTES:
            problems.append(f"only the first {MAX_TEXT_BYTES} bytes of a text were read")
        text = decode_text(data[:MAX_TEXT_BYTES], part.headers.get_content_charset())
        texts.append(_unflowed(part, text) if content_type == "text/plain" else html_mail_text(text))
    return "\n\n".join(_without_pgp(text) for text in texts if text.strip())


def _is_stub(plain: str) -> bool:
    """Nothing, or only the remark that the message should be read as HTML."""
    text = normalise(plain[: 2 * _STUB_LENGTH])
    return not text or (len(text) < _STUB_LENGTH and _HTML_STUB.search(text) is not None)


def _attached_message(parts: list[_Part]) -> str:
    """The text of the first mail that is forwarded as an attachment."""
    for part in parts:
        if part.content_type == "message/rfc822":
            head, body = _split_head(part.body.lstrip(b"\r\n"))
            inner = [p for p in _leaves(_parse_headers(head), body) if p.content_type != "message/rfc822"]
            return _body_text(inner)[0]
    return ""


def _transfer_decoded(part: _Part) -> bytes:
    encoding = _one_line(str(part.headers.get("Content-Transfer-Encoding", ""))).lower()
    body = part.body[: 3 * MAX_TEXT_BYTES]  # no encoding makes a text more than three times as long
    if encoding == "quoted-printable":
        return quopri.decodestring(body)
    if encoding == "base64":
        return _base64(body)
    if encoding in ("x-uuencode", "uuencode", "uue", "x-uue"):
        return _uuencoded(body)
    return body


def _base64(body: bytes) -> bytes:
    """What of `body` is base64, also where it is cut off or other characters stand between."""
    digits = re.sub(rb"[^A-Za-z0-9+/]", b"", body.partition(b"=\n\n")[0])
    whole = len(digits) - (len(digits) % 4 == 1)
    return binascii.a2b_base64(digits[:whole] + b"=" * (-whole % 4))


def _uuencoded(body: bytes) -> bytes:
    try:
        return codecs.decode(body.strip() + b"\n", "uu")
    except (ValueError, binascii.Error):
        return body


def _unflowed(part: _Part, text: str) -> str:
    """Paragraphs of format=flowed (RFC 3676) on one line each."""
    if str(part.headers.get_param("format", "")).lower() != "flowed":
        return text
    delete_space = str(part.headers.get_param("delsp", "")).lower() == "yes"
    lines: list[str] = []
    open_depth: int | None = None
    for line in text.splitlines():
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        soft = content.endswith(" ") and content != "-- "
        if open_depth == depth and content != "-- ":
            lines[-1] += content
        else:
            lines.append(">" * depth + " " * bool(depth) + content)
        if soft and delete_space:
            lines[-1] = lines[-1][:-1]
        open_depth = depth if soft else None
    return "\n".join(lines)


def _without_pgp(text: str) -> str:
    """Clear-signed text without its armour (RFC 9580, section 7); encrypted blocks are left out."""
    if "-----BEGIN PGP" not in text:
        return text
    head = _PGP_HEAD.search(text)
    if head:
        signed = text[head.end() :].partition(_PGP_SIGNATURE)[0]
        return text[: head.start()] + re.sub(r"^- ", "", signed, flags=re.MULTILINE)
    return _PGP_BLOCK.sub("", text)


def _is_named(part: _Part) -> bool:
    if part.content_type in ("text/plain", "text/html"):
        return part.is_attachment
    return bool(part.headers.get_filename()) or part.content_type not in _MACHINERY


_MACHINERY = words(
    "application/pgp-encrypted application/pgp-signature application/pkcs7-signature application/x-pkcs7-signature"
    " message/delivery-status message/disposition-notification text/rfc822-headers text/calendar"
    " text/enriched text/watch-html"
)


def _decoded(value: str) -> str:
    """A header with its encoded words (RFC 2047) read; words that are broken stay as they are."""
    value = value[:_HEADER_LENGTH]
    try:
        chunks = decode_header(value)
    except (HeaderParseError, ValueError):
        return value
    return "".join(c if isinstance(c, str) else decode_text(c, charset) for c, charset in chunks)


def _one_line(text: str) -> str:
    return " ".join(normalise(text).split())


def _subject(headers: Message) -> str:
    return _one_line(_decoded(str(headers.get("Subject", ""))))[:_SUBJECT_LENGTH]


def _addresses(headers: Message, *names: str) -> list[tuple[str, str]]:
    """(address in lower case, name) of every mailbox in the headers `names`."""
    values = [str(value)[:_ADDRESS_LIST_LENGTH] for name in names for value in headers.get_all(name, [])]
    try:
        pairs = getaddresses([" ".join(value.splitlines()) for value in values])
    except (RecursionError, IndexError, ValueError):  # comments in comments in comments
        return []
    return [(_one_line(address).lower(), _one_line(_decoded(name))) for name, address in pairs if "@" in address]


def _sender(headers: Message, own_domains: frozenset[str]) -> tuple[str, str]:
    """Who wrote it: Reply-To where a contact form or a group list sends in the company's own name."""
    mailboxes = _addresses(headers, "From") or _addresses(headers, "Sender") or [("", "")]
    if _is_own(mailboxes[0][0], own_domains):
        outside = [m for m in _addresses(headers, "Reply-To", "X-Original-Sender") if not _is_own(m[0], own_domains)]
        mailboxes = outside or mailboxes
    return mailboxes[0]


def _is_own(address: str, own_domains: frozenset[str]) -> bool:
    domain = address.rpartition("@")[2]
    return any(domain == own or domain.endswith(f".{own}") for own in map(str.lower, own_domains))


def _message_id(headers: Message, raw: bytes) -> str:
    found = _MESSAGE_ID.search(str(headers.get("Message-ID", ""))[:_HEADER_LENGTH])
    if found:
        return found.group(1)
    # Received lines and the like differ between two copies of one mail; these do not.
    stable = "\n".join(str(headers.get(name, "")) for name in ("From", "To", "Date", "Subject"))
    body = _split_head(raw[:MAX_MESSAGE_BYTES])[1]
    return "sha256-" + hashlib.sha256(stable.encode("utf-8", "replace") + body).hexdigest()


def _references(headers: Message) -> tuple[str, ...]:
    """The ids of the messages before this one, the first of the thread first."""
    value = " ".join(str(headers.get(name, ""))[:_ADDRESS_LIST_LENGTH] for name in ("References", "In-Reply-To"))
    return tuple(dict.fromkeys(_MESSAGE_ID.findall(value)))[:_REFERENCES]


def _sent_at(headers: Message) -> datetime | None:
    received = [str(value).rpartition(";")[2] for value in headers.get_all("Received", [])[:1]]
    for value in [str(headers.get("Date", "")), *received]:
        try:
            moment = parsedate_to_datetime(_one_line(value[:200]))
            return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _kind(headers: Message, parts: list[_Part], sender: str, own_domains: frozenset[str]) -> Kind:
    report = str(headers.get_param("report-type", "")).lower()
    daemon = sender.startswith(("mailer-daemon@", "postmaster@")) or "X-Failed-Recipients" in headers
    if daemon or report == "delivery-status":
        return "bounce"
    if report == "disposition-notification":
        return "receipt"
    if _is_own(sender, own_domains):
        return "own"
    if _is_automatic(headers):
        return "auto_reply"
    if _is_newsletter(headers, own_domains):
        return "newsletter"
    if headers.get_content_type() == "multipart/encrypted" or any(_is_sealed(part) for part in parts):
        return "encrypted"
    invited = any(part.content_type == "text/calendar" and not part.is_attachment for part in parts)
    return "calendar" if invited else "customer"


def _is_automatic(headers: Message) -> bool:
    """RFC 3834 and what was in use before it."""
    submitted = _one_line(str(headers.get("Auto-Submitted", "no"))).lower()
    old = any(name in headers for name in ("X-Autoreply", "X-Autorespond", "X-Autoresponder"))
    precedence = _one_line(str(headers.get("Precedence", ""))).lower()
    answer = _AUTO_REPLY.match(_subject(headers)) is not None
    return not submitted.startswith("no") or old or precedence in ("auto_reply", "auto-reply") or answer


def _is_newsletter(headers: Message, own_domains: frozenset[str]) -> bool:
    """Bulk mail; not what customers write to an own address that is a group list (which adds the same headers)."""
    listed = str(headers.get("List-Id", "")).rpartition("<")[2].strip("> \r\n").lower()
    if listed and _is_own(f"list@{listed}", own_domains):
        return False
    precedence = _one_line(str(headers.get("Precedence", ""))).lower()
    return "List-Unsubscribe" in headers or bool(listed) or precedence in ("bulk", "list", "junk")


def _is_sealed(part: _Part) -> bool:
    if part.content_type == "text/plain":
        return part.body.lstrip().startswith(b"-----BEGIN PGP MESSAGE-----")
    if part.content_type not in ("application/pkcs7-mime", "application/x-pkcs7-mime"):
        return False
    return "signed" not in str(part.headers.get_param("smime-type", ""))
