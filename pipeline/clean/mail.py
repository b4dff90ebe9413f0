"""The customer's own words in a mail: without quotations, signatures, device lines and disclaimers.

What was cut is counted in notes, so that an analyst can check. `clean_mail` repeats its rounds until nothing is left
to cut, so cleaning twice is cleaning once by construction.

mail-parser-reply is not used: on the corpus in tests/clean/mail_corpus its cuts are worse alone (see
`python -m benchmarks.mail`), and its signature rules delete complaints.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Literal

from bs4 import NavigableString, Tag

from .quotes import Mark, answers_are_below, has_address, is_forward_head, is_quoted, mark_at
from .signatures import is_banner, is_device_line, is_disclaimer, is_image_line, signature_lines
from .text import normalise, parse_html, render, words

NoteKind = Literal["quote", "forward", "signature", "device_line", "disclaimer", "banner", "image"]

LITTLE_WORDS = 2
"""A signature or disclaimer that would leave fewer words than this is kept."""

_ROUNDS = 6
_LONGEST_SIGNATURE = 40  # lines
_BANNER_PARAGRAPHS = 2
_WORD = re.compile(r"[^\W_]+")
_MORE_THAN = re.compile(r"> ?\d")
_QUOTE_OPEN, _QUOTE_CLOSE = "\ue000", "\ue001"
_ORIGINAL_MESSAGE = "-----Original Message-----"
_QUOTE_CLASSES = ("moz-cite-prefix", "yahoo_quoted", "protonmail_quote", "gmail_attr")
_SIGNATURES = words("gmail_signature moz-signature Signature ms-outlook-mobile-signature")
_STRUCTURAL_TAGS = 200
_BORDER_TOP = re.compile(r"border-top:\s*solid", re.IGNORECASE)
_BORDER_LEFT = re.compile(r"border-left", re.IGNORECASE)


@dataclass(frozen=True)
class Note:
    """How much of one kind was cut. Of a "forward" only the header lines were cut: its text is all there was."""

    kind: NoteKind
    lines: int
    characters: int


@dataclass(frozen=True)
class CleanText:
    """The customer's own words, and what was cut to find them."""

    text: str
    notes: tuple[Note, ...] = ()


_Lines = list[str]
_Cut = tuple[_Lines, list[Note]]


def clean_mail(text: str) -> CleanText:
    """The customer's own words in the plain text of a mail; "" where somebody else wrote all of it."""
    original = current = normalise(text)
    notes: list[Note] = []
    for _ in range(_ROUNDS):
        lines, found = _clean_once(current.split("\n"))
        if not found:
            return CleanText(current, _sum(notes))
        current, notes = normalise("\n".join(lines)), notes + found
    return CleanText(original)  # quotation in quotation without end: nothing in it can be trusted


def html_mail_text(html: str) -> str:
    """The text of an HTML mail, with what its structure tells of quotations written as a plain-text mail would."""
    tree = parse_html(html.replace(_QUOTE_OPEN, "").replace(_QUOTE_CLOSE, ""))
    for tag in tree.find_all(_is_structural, limit=_STRUCTURAL_TAGS):
        if _is_signature(tag):
            tag.insert_before(_line("--"))
        elif _is_reply_header(tag):
            tag.insert_before(_line(_ORIGINAL_MESSAGE))
        elif not is_forward_head(_first_words(tag)):
            tag.insert(0, NavigableString(_QUOTE_OPEN))
            tag.append(NavigableString(_QUOTE_CLOSE))
    return normalise(_with_quote_marks(render(tree)))


def _clean_once(lines: _Lines) -> _Cut:
    notes: list[Note] = []
    for step in (_cut_banner, _cut_images, _cut_device_lines, _cut_quotes, _cut_disclaimers, _cut_signature):
        lines, found = step(lines)
        notes += found
    return lines, notes


def _cut_images(lines: _Lines) -> _Cut:
    return _keep(lines, lambda line: not is_image_line(line), "image")


def _cut_device_lines(lines: _Lines) -> _Cut:
    return _keep(lines, lambda line: not is_device_line(line), "device_line")


def _cut_quotes(lines: _Lines) -> _Cut:
    lines, at = list(lines), 0
    kept: _Lines = []
    notes: list[Note] = []
    while at < len(lines):
        mark = None if is_quoted(lines[at]) else mark_at(lines, at)
        end = at + (mark.lines if mark else 1)
        head = lines[at:end]
        at = end
        if not mark:
            if _is_quote_line(lines, end - 1):
                notes.append(_note("quote", head))
            elif head[0] or (kept and kept[-1]):
                kept += head
            continue
        own, marked = _has_own_words(kept), _is_marked_quote(lines, end)
        if not marked and (_may_be_a_sentence(mark, head) or (own and answers_are_below("\n".join(kept)))):
            kept += head
        elif own and not marked:
            return kept, [*notes, _note("quote", head + lines[end:])]
        else:
            notes.append(_note("quote" if own or mark.kind == "attribution" else "forward", head))
            if mark.kind == "forward" and not own:
                _unquote(lines, end)
    return kept, notes


def _unquote(lines: _Lines, at: int) -> None:
    """Takes one ">" off the quoted lines from `at` on, up to the first that is not quoted."""
    while at < len(lines) and (not lines[at] or is_quoted(lines[at])):
        lines[at] = lines[at][1:].lstrip(" ")
        at += 1


def _is_marked_quote(lines: _Lines, at: int) -> bool:
    following = next((line for line in lines[at : at + 3] if line), "")
    return is_quoted(following)


def _may_be_a_sentence(mark: Mark, head: _Lines) -> bool:
    """ "Den 3. marts 2026 kl. 9.30 skrev Mette:" without a mail address, above lines that are not marked."""
    return mark.kind == "attribution" and not has_address(head)


def _is_quote_line(lines: _Lines, at: int) -> bool:
    """ "> 3 uger" alone between other lines means "more than"."""
    line = lines[at]
    if not is_quoted(line):
        return False
    neighbours = lines[max(0, at - 1) : at] + lines[at + 1 : at + 2]
    alone = not any(is_quoted(other) or other.endswith(":") for other in neighbours)
    return not (alone and _MORE_THAN.match(line) and not line.endswith(":"))


def _has_own_words(lines: _Lines) -> bool:
    """True where `lines` hold more than a signature."""
    if len(lines) > _LONGEST_SIGNATURE:
        return True
    lines = _trimmed(lines)
    cut = signature_lines(lines)
    return any(_WORD.search(line) for index, line in enumerate(lines) if index not in cut)


def _cut_banner(lines: _Lines) -> _Cut:
    paragraphs = _paragraphs(lines)
    cut = {id(p) for p in paragraphs[:_BANNER_PARAGRAPHS] if is_banner(p)}
    return _drop_paragraphs(lines, paragraphs, cut, "banner")


def _cut_disclaimers(lines: _Lines) -> _Cut:
    paragraphs = _paragraphs(lines)
    cut = {id(p) for p in paragraphs if is_disclaimer(p)}
    return _drop_paragraphs(lines, paragraphs, cut, "disclaimer")


def _drop_paragraphs(lines: _Lines, paragraphs: list[_Lines], cut: set[int], kind: NoteKind) -> _Cut:
    dropped = [line for paragraph in paragraphs if id(paragraph) in cut for line in paragraph]
    kept = [line for paragraph in paragraphs if id(paragraph) not in cut for line in [*paragraph, ""]]
    if not dropped or _is_little(kept):
        return lines, []
    return kept, [_note(kind, dropped)]


def _cut_signature(lines: _Lines) -> _Cut:
    lines = _trimmed(lines)
    cut = signature_lines(lines)
    kept = [line for index, line in enumerate(lines) if index not in cut]
    if not cut or _is_little(kept):
        return lines, []
    return kept, [_note("signature", [lines[index] for index in sorted(cut)])]


def _keep(lines: _Lines, wanted: Callable[[str], bool], kind: NoteKind) -> _Cut:
    kept = [line for line in lines if wanted(line)]
    dropped = [line for line in lines if not wanted(line)]
    return (kept, [_note(kind, dropped)]) if dropped and not _is_little(kept) else (lines, [])


def _is_little(lines: Iterable[str]) -> bool:
    return sum(len(_WORD.findall(line)) for line in lines) < LITTLE_WORDS


def _paragraphs(lines: _Lines) -> list[_Lines]:
    return [list(group) for filled, group in groupby(lines, key=bool) if filled]


def _trimmed(lines: _Lines) -> _Lines:
    end = len(lines)
    while end and not lines[end - 1]:
        end -= 1
    return lines[:end]


def _note(kind: NoteKind, lines: Sequence[str]) -> Note:
    filled = [line for line in lines if line]
    return Note(kind, len(filled), sum(map(len, filled)))


def _sum(notes: Sequence[Note]) -> tuple[Note, ...]:
    kinds = dict.fromkeys(note.kind for note in notes)
    return tuple(
        Note(kind, sum(n.lines for n in notes if n.kind == kind), sum(n.characters for n in notes if n.kind == kind))
        for kind in kinds
    )


def _is_structural(tag: Tag) -> bool:
    return _is_signature(tag) or _is_reply_header(tag) or _is_quote(tag)


def _is_signature(tag: Tag) -> bool:
    names = {*(tag.get("class") or ()), str(tag.get("id") or ""), str(tag.get("data-smartmail") or "")}
    return not _SIGNATURES.isdisjoint(names)


def _is_reply_header(tag: Tag) -> bool:
    """Outlook's and its web app's header above the mail that is answered."""
    border = tag.name == "div" and _BORDER_TOP.search(str(tag.get("style") or ""))
    return tag.get("id") == "divRplyFwdMsg" or bool(border)


def _is_quote(tag: Tag) -> bool:
    classes = " ".join(tag.get("class") or ())
    if tag.name == "blockquote":
        bordered = _BORDER_LEFT.search(str(tag.get("style") or ""))
        return tag.get("type") == "cite" or "quote" in classes or tag.has_attr("cite") or bool(bordered)
    return any(name in classes for name in _QUOTE_CLASSES)


def _first_words(tag: Tag) -> str:
    return "".join(islice(tag.strings, 10)).strip()


def _line(text: str) -> Tag:
    line = Tag(name="div")
    line.append(NavigableString(text))
    return line


def _with_quote_marks(text: str) -> str:
    """Lines between the two marks, as deep as they are nested, with ">" before them."""
    depth, lines = 0, []
    for line in text.split("\n"):
        opened = line.count(_QUOTE_OPEN)
        closed = line.count(_QUOTE_CLOSE)
        quoted = depth > 0 or opened > 0
        depth = max(0, depth + opened - closed)
        bare = line.replace(_QUOTE_OPEN, "").replace(_QUOTE_CLOSE, "").strip()
        lines.append(f"> {bare}" if quoted and bare else bare)
    return "\n".join(lines)
