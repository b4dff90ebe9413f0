"""RFC 5322 bytes to a message: charsets, encodings, parts, kinds and hostile mail."""

import base64
import quopri
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mail import Mail, read_corpus
from pipeline.clean.message import MAX_MESSAGE_BYTES, MAX_PARTS, MAX_TEXT_BYTES, decode_text, parse_message
from pipeline.errors import RecordError

HEAD = b"From: Lone Tofte <Lone@kunde.example>\r\nTo: hjalp@butik.example\r\nDate: Tue, 3 Mar 2026 10:15:00 +0100\r\n"
NORDIC = "Blå kåbe, rød sløjfe og æble; på svenska: räksmörgås. Slut på ävja!"
PART_CASES = "plain empty stub two_texts attached_text attached_mail flowed delsp pgp_signed no_boundary uuencode"
FLOWED = "Content-Type: text/plain; format=flowed"
OWN = frozenset({"butik.example"})


def mail(body: bytes, *fields: str) -> bytes:
    return HEAD + "".join(f"{field}\r\n" for field in fields).encode() + b"\r\n" + body


def multipart(subtype: str, *parts: bytes) -> bytes:
    inside = b"".join(b"--edge\r\n" + part + b"\r\n" for part in parts)
    return HEAD + f'Content-Type: multipart/{subtype}; boundary="edge"\r\n\r\n'.encode() + inside + b"--edge--\r\n"


def part(content_type: str, body: str | bytes, *fields: str) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    return "\r\n".join([f"Content-Type: {content_type}", *fields, "", ""]).encode() + data


def test_the_fields_of_a_message() -> None:
    raw = mail(
        b"Den er i stykker.\r\n\r\nMvh Lone\r\n",
        "Subject: =?iso-8859-1?Q?R=F8d_kj?= =?utf-8?b?b2xl?=",
        "Message-ID: <c@kunde.example>",
        "In-Reply-To: <b@butik.example>",
        "References: <a@kunde.example>\r\n <b@butik.example>",
        "Cc: =?utf-8?q?S=C3=B8ren?= <soren@kunde.example>",
    )
    message = parse_message(raw)
    assert (message.sender, message.sender_name) == ("lone@kunde.example", "Lone Tofte")
    assert message.recipients == ("hjalp@butik.example", "soren@kunde.example")
    assert message.subject == "Rød kjole"
    assert message.message_id == "c@kunde.example"
    assert message.references == ("a@kunde.example", "b@butik.example")
    assert message.thread_id == "a@kunde.example"
    assert message.sent_at == datetime(2026, 3, 3, 9, 15, tzinfo=UTC)
    assert message.text == "Den er i stykker."
    assert message.kind == "customer"
    assert [note.kind for note in message.notes] == ["signature"]


@pytest.mark.parametrize(
    ("real", "declared"),
    [
        ("utf-8", "utf-8"),
        ("utf-8", "us-ascii"),
        ("utf-8", "iso-8859-1"),
        ("utf-8", None),
        ("utf-8", "x-unknown"),
        ("utf-8-sig", "utf-8"),
        ("iso-8859-1", "iso-8859-1"),
        ("iso-8859-1", "utf-8"),
        ("iso-8859-1", "us-ascii"),
        ("iso-8859-1", None),
        ("windows-1252", "iso-8859-1"),
        ("windows-1252", "utf-8"),
        ("iso-8859-15", "iso-8859-15"),
        ("macintosh", "macintosh"),
        ("cp865", "cp865"),
        ("utf-16", "utf-16"),
        ("utf-8", "unicode_escape"),
        ("utf-8", "zip"),
    ],
)
@pytest.mark.parametrize("encoding", ["8bit", "base64", "quoted-printable"])
def test_nordic_letters_come_out_intact(real: str, declared: str | None, encoding: str) -> None:
    data = NORDIC.encode(real)
    encode = {"8bit": bytes, "base64": base64.encodebytes, "quoted-printable": quopri.encodestring}[encoding]
    encoded = encode(data)
    charset = f"; charset={declared}" if declared else ""
    raw = mail(encoded, f"Content-Type: text/plain{charset}", f"Content-Transfer-Encoding: {encoding}")
    assert parse_message(raw).text == NORDIC


@pytest.mark.parametrize(
    ("data", "charset", "expected"),
    [
        ("“Prisen” – 5 €".encode("cp1252"), "iso-8859-1", "“Prisen” – 5 €"),
        ("på ".encode() + "båd".encode("latin-1"), "utf-8", "på båd"),
        ("på båd".encode()[:-3], "utf-8", "på b"),
        ("sæl".encode().decode("cp1252").encode(), "utf-8", "sæl"),
        ("😀 på".encode(), "us-ascii", "😀 på"),
        (b"p+AOU-", "utf-7", "på"),
        (b"\x81\x8d", "windows-1252", ""),
    ],
)
def test_decode_text(data: bytes, charset: str, expected: str) -> None:
    assert decode_text(data, charset) == expected


@pytest.mark.parametrize("case", read_corpus()[::5], ids=lambda case: case.name)
@pytest.mark.parametrize("charset", ["utf-8", "windows-1252"])
def test_mails_of_the_corpus_as_messages(case: Mail, charset: str) -> None:
    """Built by the standard library's generator, read by our reader."""
    body = case.body.encode(charset, "ignore").decode(charset)  # emoji have no place in windows-1252
    built = EmailMessage()
    built["From"] = "Lone Tofte <lone@kunde.example>"
    built.set_content(body, subtype="html" if case.is_html else "plain", charset=charset)
    if case.expected == case.expected.encode(charset, "ignore").decode(charset):
        assert parse_message(built.as_bytes()).text == case.expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (multipart("alternative", part("text/plain", "ren tekst"), part("text/html", "<p>html</p>")), "ren tekst"),
        (multipart("alternative", part("text/plain", " \r\n"), part("text/html", "<p>kun html</p>")), "kun html"),
        (
            multipart(
                "alternative",
                part("text/plain; charset=utf-8", "Din mailklient understøtter ikke HTML."),
                part("text/html", "<p>Varen mangler.</p>"),
            ),
            "Varen mangler.",
        ),
        (multipart("mixed", part("text/plain", "et"), part("text/plain", "to")), "et\n\nto"),
        (
            multipart(
                "mixed", part("text/plain", "se fil"), part("text/plain", "log", "Content-Disposition: attachment")
            ),
            "se fil",
        ),
        (
            multipart("mixed", part("text/plain", ""), part("message/rfc822", mail("Kjolen er væk.".encode()))),
            "Kjolen er væk.",
        ),
        (
            mail(b"En lang linje som \r\nbrydes.\r\n\r\n> citat \r\n> mere\r\nNej.\r\n", FLOWED),
            "En lang linje som brydes.\n\nNej.",
        ),
        (mail(b"for \r\nsendelse\r\n", f"{FLOWED}; delsp=yes"), "forsendelse"),
        (
            mail(
                b"-----BEGIN PGP SIGNED MESSAGE-----\r\nHash: SHA256\r\n\r\n- - punkt\r\nTeksten.\r\n"
                b"-----BEGIN PGP SIGNATURE-----\r\n\r\nabc\r\n-----END PGP SIGNATURE-----\r\n"
            ),
            "- punkt\nTeksten.",
        ),
        (
            mail(b"--edge\r\nContent-Type: text/plain\r\n\r\ninde\r\n--edge--\r\n", "Content-Type: multipart/mixed"),
            "inde",
        ),
        (mail(b"begin 644 x\n#:&5J\n \nend\n", "Content-Transfer-Encoding: x-uuencode"), "hej"),
    ],
    ids=PART_CASES.split(),
)
def test_text_of_parts(raw: bytes, expected: str) -> None:
    assert parse_message(raw).text == expected


def test_attachments_are_named_and_not_read() -> None:
    raw = multipart(
        "mixed",
        part("text/plain", "se billedet"),
        part("image/jpeg", b"\xff\xd8\xff", "Content-Disposition: attachment; filename*=utf-8''kj%C3%B8le.jpg"),
        part('application/pdf; name="=?utf-8?q?p=C3=A5krav.pdf?="', b"%PDF"),
        part("image/png", b"\x89PNG", 'Content-Disposition: inline; filename="a\r\n b.png"'),
    )
    message = parse_message(raw)
    assert message.attachments == ("kjøle.jpg", "påkrav.pdf", "a b.png")
    assert message.text == "se billedet"


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        (["Subject: Klage"], "customer"),
        (["Auto-Submitted: no"], "customer"),
        (["Subject: Sv: Automatisk svar virker ikke"], "customer"),
        (["Subject: Frånvarande personal i butiken"], "customer"),
        (["Auto-Submitted: auto-replied"], "auto_reply"),
        (["X-Autoreply: yes"], "auto_reply"),
        (["Subject: Autosvar: Ferie"], "auto_reply"),
        (["Subject: Automatiskt svar: Semester"], "auto_reply"),
        (["Subject: Fravær: Jeg er på ferie"], "auto_reply"),
        (["Content-Type: multipart/report; report-type=delivery-status; boundary=x"], "bounce"),
        (["X-Failed-Recipients: a@b.example"], "bounce"),
        (["Content-Type: multipart/report; report-type=disposition-notification; boundary=x"], "receipt"),
        (["List-Unsubscribe: <https://nyt.example/af>"], "newsletter"),
        (["Precedence: bulk"], "newsletter"),
        (
            ["Precedence: list", "List-Id: <hjalp.butik.example>", "List-Unsubscribe: <mailto:x@butik.example>"],
            "customer",
        ),
        (["Content-Type: text/calendar; method=REQUEST"], "calendar"),
        (["Content-Type: multipart/encrypted; boundary=x"], "encrypted"),
        (["Content-Type: application/pkcs7-mime; smime-type=enveloped-data"], "encrypted"),
    ],
)
def test_kinds(fields: list[str], kind: str) -> None:
    assert parse_message(mail(b"tekst", *fields), OWN).kind == kind


def test_own_mail_and_what_only_looks_like_it() -> None:
    own = b"From: Mette <mette@mail.butik.example>\r\n"
    assert parse_message(own + b"\r\nHej Lone", OWN).kind == "own"
    form = parse_message(own + b"Reply-To: lone@kunde.example\r\n\r\nHvor er min pakke?", OWN)
    assert (form.kind, form.sender) == ("customer", "lone@kunde.example")
    assert parse_message(b"From: x@notbutik.example\r\n\r\nHej", OWN).kind == "customer"


def test_a_message_without_id_has_one_of_its_content() -> None:
    first, again, other = (parse_message(mail(body)) for body in (b"a", b"a", b"b"))
    assert first.message_id == again.message_id != other.message_id


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Tue, 3 Mar 2026 10:15:00 -0000", datetime(2026, 3, 3, 10, 15, tzinfo=UTC)),
        ("3 Mar 2026 10:15 CET", datetime(2026, 3, 3, 10, 15, tzinfo=UTC)),
        ("i går", None),
        ("Tue, 99 Foo 99999 99:99:99 +9999", None),
        ("", None),
    ],
)
def test_dates(date: str, expected: datetime | None) -> None:
    assert parse_message(f"From: a@b.example\r\nDate: {date}\r\n\r\nx".encode()).sent_at == expected


def test_the_time_of_receipt_stands_for_a_missing_date() -> None:
    raw = b"Received: from a by b; Tue, 3 Mar 2026 10:15:00 +0100\r\nFrom: a@b.example\r\n\r\nx"
    assert parse_message(raw).sent_at == datetime(2026, 3, 3, 9, 15, tzinfo=UTC)


def test_injected_headers_stay_in_their_line() -> None:
    injected = base64.b64encode(b"Hej\r\nBcc: alle@kunde.example\r\n\r\nny tekst").decode()
    message = parse_message(mail(b"tekst", f"Subject: =?utf-8?b?{injected}?="))
    assert message.subject == "Hej Bcc: alle@kunde.example ny tekst"
    assert message.recipients == ("hjalp@butik.example",)
    assert message.text == "tekst"


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b"bare tekst uden hoved", b"\x00\xff" * 1000, b"{}"])
def test_what_is_no_message_is_refused(raw: bytes) -> None:
    with pytest.raises(RecordError, match="not a mail message"):
        parse_message(raw)


def test_an_mbox_line_above_the_message_is_no_matter() -> None:
    assert parse_message(b"From lone Tue Mar  3 10:15:00 2026\n" + mail(b"tekst")).text == "tekst"


def nested(levels: int) -> bytes:
    heads = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(levels))
    return HEAD + heads + b"Content-Type: text/plain\r\n\r\ndybt nede"


def test_nested_parts() -> None:
    assert parse_message(nested(15)).text == "dybt nede"
    deep = parse_message(nested(5000))
    assert deep.text == ""
    assert "nested" in deep.problems[0]


def test_a_hundred_megabytes_attached() -> None:
    film = part("video/mp4; name=film.mp4", b"", "Content-Transfer-Encoding: base64")
    head = multipart("mixed", part("text/plain", "Her er filmen."), film)
    raw = head.removesuffix(b"\r\n--edge--\r\n") + b"QUJD" * 26_000_000
    message = parse_message(raw)
    assert message.text == "Her er filmen."
    assert message.attachments == ("film.mp4",)
    assert str(MAX_MESSAGE_BYTES) in message.problems[0]


def test_a_long_text_is_read_in_part() -> None:
    message = parse_message(mail(b"ord ord. " * (MAX_TEXT_BYTES // 4)))
    assert len(message.text) <= MAX_TEXT_BYTES
    assert str(MAX_TEXT_BYTES) in message.problems[0]


HOSTILE = {
    "parts": b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\n\n" * 1_000_000,
    "itself": b"Content-Type: multipart/mixed; boundary=b\n\n--b\n" * 50_000,
    "messages": b"Content-Type: message/rfc822\r\n\r\n" * 100_000,
    "headers": b"X: y\r\n" * 500_000 + b"\r\nhej",
    "one header": b"Subject: " + b"a" * 5_000_000 + b"\r\n\r\nhej",
    "comments": b"Cc: " + b"(" * 100_000 + b"\r\n\r\nhej",
    "words": b"Subject: " + b"=?a?q?" * 100_000 + b"\r\n\r\nhej",
    "parameters": b"Content-Type: text/plain" + b";" * 200_000 + b"\r\n\r\nhej",
    "continuations": b"Content-Type: text/plain" + b"".join(b"; x*%d=a" % n for n in range(20_000)) + b"\r\n\r\nhej",
    "base64": b"Content-Transfer-Encoding: base64\r\n\r\n" + b"==" * 1_000_000,
    "wrong bytes": b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + b"\xe6a" * 1_000_000,
    "zeros": b"\r\n" + b"\x00" * 1_000_000,
    "html": b"Content-Type: text/html\r\n\r\n" + b"<div><blockquote type=cite>" * 40_000,
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_messages_are_read(name: str) -> None:
    message = parse_message(HEAD + HOSTILE[name])
    assert len(message.text) <= MAX_TEXT_BYTES
    assert len(message.attachments) <= MAX_PARTS
    assert message.sender == "lone@kunde.example"


@settings(max_examples=300, deadline=None)
@given(
    st.binary(max_size=400), st.sampled_from(["", "Content-Type: ", "Subject: ", "From: ", "Date: ", f"{FLOWED}; x="])
)
def test_any_bytes_are_a_message_or_refused(data: bytes, field: str) -> None:
    """Nothing but RecordError ever leaves the parser."""
    for raw in (field.encode() + data, mail(data, *([f"{field}x"] if field else []))):
        try:
            message = parse_message(raw, OWN)
        except RecordError:
            continue
        assert "\n" not in message.subject + message.sender + message.sender_name
        assert "\x00" not in message.text + message.subject
