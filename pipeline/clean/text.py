"""Plain text and HTML fragments to clean Unicode text.

Every function here is total (it never raises on a `str`), takes time linear in its input, and
`clean_text(clean_text(x)) == clean_text(x)`.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator

from bs4 import BeautifulSoup, NavigableString, PageElement, Tag


def words(text: str) -> frozenset[str]:
    """The words of `text`: a set literal that can be read."""
    return frozenset(text.split())


# Zero-width, bidirectional and other invisible characters. ZWJ and variation selectors stay: emoji are made of them.
_INVISIBLE = [0x00AD, 0x034F, 0x061C, 0x180E, 0x200B, 0x200C, 0x200E, 0x200F, 0xFEFF, 0xFFFC, 0xFFFE, 0xFFFF]
_INVISIBLE += [*range(0x202A, 0x202F), *range(0x2060, 0x2070), *range(0xFFF9, 0xFFFC), *range(0xE0000, 0xE0080)]
_CONTROL = [c for c in (*range(0x20), *range(0x7F, 0xA0)) if chr(c) not in "\t\n\r\x0b\x0c\x85"]
_SPACES = [0x00A0, 0x1680, *range(0x2000, 0x200B), 0x202F, 0x205F, 0x3000, 0x2800, 0x3164, 0x09]
_TRANSLATION: dict[int, str | None] = (
    dict.fromkeys(_INVISIBLE + _CONTROL)
    | dict.fromkeys(_SPACES, " ")
    | dict.fromkeys([0x0B, 0x0C, 0x0D, 0x85, 0x2028, 0x2029], "\n")
)
_NEEDS_TRANSLATION = re.compile("[" + "".join(re.escape(chr(c)) for c in _TRANSLATION) + "]")
_EMOJI = "\u2190-\u2bff\U0001f000-\U0001faff"
_JOINER_OUTSIDE_EMOJI = re.compile(f"(?<![{_EMOJI}\ufe0f])\u200d+|\u200d+(?![{_EMOJI}])")
# Unicode orders the marks on a letter by insertion, in quadratic time: 30 are kept, as in its Stream-Safe Text Format.
_MARK = "[" + "".join(chr(c) for c in range(0x300, 0x1F000) if unicodedata.combining(chr(c))) + "]"
_MARK_RUN = re.compile(f"({_MARK}{{30}}){_MARK}+")
_SPACE_RUN = re.compile(r" {2,}")
_SPACE_AT_LINE_END = re.compile(r" ?\n ?")
_BLANK_LINES = re.compile(r"\n{3,}")

_TAG_NAMES = (
    "a|abbr|article|b|big|blockquote|body|br|center|code|dd|div|dl|dt|em|font|footer|h[1-6]|head|header|hr|html|i|img"
    "|ins|li|link|main|meta|ol|p|pre|q|s|script|section|small|span|strike|strong|style|sub|sup|table|tbody|td|th|thead"
    "|title|tr|u|ul|video|iframe|object|embed|form|input|button|svg|o:p|nobr|tt|del|mark|label|textarea|select|option"
)
_ENTITY = r"&(?:[a-z]{2,8}|#\d{1,7}|#x[0-9a-f]{1,6});"
_MARKUP = re.compile(rf"</?(?:{_TAG_NAMES})(?:\s[^<>]*)?/?>|<!--|{_ENTITY}", re.IGNORECASE)
_BLOCK_MARKUP = re.compile(r"<(?:p|div|li|tr)[\s/>]", re.IGNORECASE)
_LINE_BREAK = re.compile(r"(?<!>)\n")
_ROUNDS = 3
_NOT_MARKUP = str.maketrans({"<": "‹", ">": "›", "&": "＆"})

_DECLARATION = re.compile(r"<[!?][^<>]*>")
# html.parser of some Python versions is quadratic on broken markup (CVE-2025-6069), so only whole tags reach it.
_NOT_A_TAG = re.compile(r"<(?!/?[a-zA-Z](?:[^<>\"']|\"[^\"]{0,4000}\"|'[^']{0,4000}')*+>)")
_LINE_BLOCKS = words(
    "address article body caption center dd div dl dt fieldset footer form header hr html legend li main nav option pre"
    " section table tbody tfoot thead tr blockquote"
)
_PARAGRAPHS = words("p h1 h2 h3 h4 h5 h6 ul ol")
_SKIPPED = words("head script style title template svg math object iframe noscript select textarea audio video")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)
_NO_MARGIN = re.compile(r"margin(?:-bottom)?\s*:\s*0", re.IGNORECASE)
_SOURCE_SPACE = re.compile(r"[ \t\r\n\f]+")


def normalise(text: str) -> str:
    """Unicode NFC without control, zero-width and bidirectional characters; at most one blank line in a row."""
    if not text.isascii():
        text = _without_surrogates(text)
    if _NEEDS_TRANSLATION.search(text):
        text = text.replace("\r\n", "\n").translate(_TRANSLATION)
    if not text.isascii():
        text = unicodedata.normalize("NFC", _MARK_RUN.sub(r"\1", _JOINER_OUTSIDE_EMOJI.sub("", text)))
    text = _SPACE_RUN.sub(" ", text)
    if "\n" in text:
        text = _BLANK_LINES.sub("\n\n", _SPACE_AT_LINE_END.sub("\n", text))
    return text.strip()


def clean_text(text: str) -> str:
    """Plain text of a review, comment or subject; markup and entities in it are resolved, emoji and paragraphs stay."""
    text = normalise(text)
    for _ in range(_ROUNDS):
        if not _has_markup(text):
            return text
        text = html_to_text(text if _BLOCK_MARKUP.search(text) else _LINE_BREAK.sub("<br>", text))
    # Markup that hides markup again and again is an attack, not a text: it is shown, harmless.
    return text.translate(_NOT_MARKUP) if _has_markup(text) else text


def html_to_text(html: str) -> str:
    """The visible text of an HTML document or fragment: blocks become lines, paragraphs are parted by a blank line."""
    return normalise(render(parse_html(html)))


def parse_html(html: str) -> BeautifulSoup:
    """A tree of `html` in linear time, whatever is in it; comments, scripts and styles are already gone."""
    html = _DECLARATION.sub("", _without_raw_blocks(html))
    # With a first tag, since the library warns of text that looks like a file name.
    return BeautifulSoup("<html>" + _NOT_A_TAG.sub("&lt;", html), "html.parser")


def render(tree: Tag) -> str:
    """The text of `tree`, with line breaks where a browser would show them."""
    writer = _Writer()
    walk: list[Iterator[PageElement] | Callable[[], None]] = [iter(tree.contents)]
    while walk:
        step = walk[-1]
        if callable(step):
            walk.pop()
            step()
            continue
        node = next(step, None)
        if node is None:
            walk.pop()
        elif isinstance(node, Tag):
            if not _is_hidden(node):
                gap = _gap(node)
                writer.open(node, gap)
                walk += [lambda gap=gap: writer.block(gap), iter(node.contents)]  # type: ignore[misc]
        elif isinstance(node, NavigableString):
            writer.write(str(node))
    return writer.text()


class _Writer:
    """Collects text; `block(n)` makes sure that n line breaks stand before what comes next."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._breaks = 2
        self._space = False

    def write(self, source: str) -> None:
        text = _SOURCE_SPACE.sub(" ", source)
        if self._breaks or self._space:
            text = text.lstrip(" ")
        if text:
            self._parts.append(text)
            self._breaks = 0
            self._space = text.endswith(" ")

    def open(self, tag: Tag, gap: int) -> None:
        self.block(gap)
        if tag.name == "br":
            self._newline()
        elif tag.name == "li":
            self.write("- ")
        elif tag.name in ("td", "th"):
            self.write(" ")
        elif tag.name == "img" and not any(letter.isalnum() for letter in str(tag.get("alt") or "x")):
            self.write(str(tag["alt"]))  # an emoji drawn as a picture

    def block(self, gap: int) -> None:
        while self._breaks < gap:
            self._newline()

    def _newline(self) -> None:
        self._parts.append("\n")
        self._breaks += 1
        self._space = False

    def text(self) -> str:
        return "".join(self._parts)


def _gap(tag: Tag) -> int:
    if tag.name in _LINE_BLOCKS:
        return 1
    if tag.name not in _PARAGRAPHS:
        return 0
    # Outlook writes every line as a paragraph without margin.
    tight = "MsoNormal" in (tag.get("class") or ()) or _NO_MARGIN.search(str(tag.get("style") or ""))
    return 1 if tight else 2


def _is_hidden(tag: Tag) -> bool:
    return tag.name in _SKIPPED or bool(_HIDDEN.search(str(tag.get("style") or ""))) or tag.has_attr("hidden")


def _has_markup(text: str) -> bool:
    return ("<" in text or "&" in text) and _MARKUP.search(text) is not None


def _without_raw_blocks(html: str) -> str:
    """`html` without comments, scripts and styles; one that is never closed ends the text, as in a browser."""
    for start, end in (("<!--", "-->"), ("<script", "</script"), ("<style", "</style")):
        lower = html.lower()
        if len(lower) != len(html):  # a few letters change their length in lower case
            lower = html
        kept, position = [], 0
        while (found := lower.find(start, position)) >= 0:
            kept.append(html[position:found])
            stop = lower.find(end, found + len(start))
            closed = -1 if stop < 0 else html.find(">", stop)
            position = len(html) if closed < 0 else closed + 1
        html = "".join(kept) + html[position:]
    return html


def _without_surrogates(text: str) -> str:
    """Half characters (from broken JSON or undecodable bytes) joined where they are pairs, else replaced."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text
