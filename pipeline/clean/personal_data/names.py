"""Names where the text itself tells that they are one: greetings, sign-offs, introductions, mail headers.

Staff praised by first name in running text stay: only forms that announce a person are read.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from .evidence import any_word
from .kinds import Kind, Span
from .name_words import ALSO_WORDS, GIVEN_NAMES, NO_NAMES, PLACES

_UP = "A-ZÆØÅÄÖÉÜÞÐÁÍÓÚ"
_L = r"[^\W\d_]"
_ONE = rf"[{_UP}]{_L}{{1,20}}(?:[-'’]{_L}{{1,20}}){{0,2}}"
_NEXT = rf"[ ](?:(?:af|av|von|van|de|der|el|al|bin)[ ])?(?:{_ONE}|[{_UP}]\.?(?!\w))"
_NAME = rf"(?P<name>{_ONE}(?:{_NEXT}){{0,3}})"
_COUPLE = rf"(?P<name>{_ONE}(?:{_NEXT}){{0,3}}(?:[ ](?:og|och|and|&)[ ]{_ONE})?)"
_LOWER_ONE = rf"(?P<name>[^\W\d_{_UP}]{_L}{{2,20}})"
_LOWER_NAME = rf"(?P<name>{_L}{{2,20}}(?:-{_L}{{2,20}})?(?:[ ]{_L}{{1,20}}\.?){{0,2}})"
_FROM = r"(?:(?i:fra|från|frå|from)[ ])?"
_LINE = r"(?:^|(?<=\n))"
_SENTENCE = r"(?:^|(?<=[\n.!?\"»:]))\s{0,3}"

_HELLO = any_word(
    """
    hej hejsa hejsan heisann hei heia hi hello hey dear kære kära käre kjære goddag god_dag god_morgen god_kveld
    god_aften god_morgon godmorgen godmorgon god_kväll hallo halla hallå tjena tjenare mojn davs halløj
    good_morning good_afternoon good_evening
    """
)
_BYE = any_word(
    """
    mvh m.v.h. m.v.h vh v.h. dbh d.b.h. kh k.h. bh hilsen hilsner hilsener hilsing hälsningar hälsning hälsn
    hälsar helsing helsingar venligst vänligen vennligst regards best_wishes sincerely yours_faithfully
    yours_truly cheers på_forhånd_tak på_forhånd_takk takk_på_forhånd tak_på_forhånd tack_på_förhand
    """
)
_THANKS = any_word("tak tack takk thanks thank_you best love knus kram klem hilser helsar")
_MY_NAME = any_word(
    """
    jeg_hedder jeg_heter jag_heter eg_heiter eg_heter mit_navn_er mitt_navn_er mitt_namn_är mitt_namn_er
    navnet_mitt_er namnet_mitt_er namnet_mitt_är my_name_is my_name's my_name’s mit_navn mitt_namn mitt_navn
    mit_fulde_navn_er mitt_fulle_navn_er mitt_fullständiga_namn_är undertegnede undertegnede, undertecknad
    undertecknad, navnet_er namnet_är i_navnet under_navnet på_navnet i_namnet under_namnet på_namnet under_namn
    in_the_name_of under_the_name
    """
)
_IS_MY_NAME = any_word(
    "heter_jag hedder_jeg heter_jeg heiter_eg er_mit_navn er_mitt_navn är_mitt_namn er_namnet_mitt is_my_name"
)
_I_AM = any_word("jeg_er jag_är eg_er i'm i’m i_am")
_IT_IS = any_word("det_er det_är this_is her_er här_är")
_LABEL = any_word(
    """
    navn namn name fulde_navn fullt_navn fullständigt_namn full_name fornavn förnamn etternavn efternavn
    efternamn kundenavn kundnamn kontaktperson contact_person modtager mottagare mottaker mottakar afsender
    avsändare avsender avsendar kunde kund customer beställare bestiller recipient sender attn att. c/o fra från
    frå from til till to cc kopi patient pasient
    """
)
_RELATIVE = any_word(
    """
    mand kone mann kona man fru hustru sambo samboer sambuar kæreste kjæreste søn sønn son datter dotter mor
    mamma far pappa bror broder søster syster husband wife partner daughter mother father brother sister nabo
    granne
    """
)

_AND = frozenset({"og", "och", "and", "&"})
_TEAM = re.compile(
    any_word("kunde* kund* team* support* service* customer* butik* shop webshop store helpdesk hotline")
)
_COMPANY_WORD = any_word("a/s as aps ab asa gruppen group service butik shop team support +deling* bank banken apotek*")
_COMPANY = re.compile(rf"(?:\b(?:{_COMPANY_WORD})|\.\w+)$", re.IGNORECASE)
_PATRONYMIC = re.compile(r" \w+(?:sen|son|sson|dotter|dóttir)$")


def _is_stop(word: str) -> bool:
    low = word.lower().strip(".")
    return len(word) > 1 and word not in _AND and (low in NO_NAMES or _TEAM.fullmatch(low) is not None)


def _trimmed(name: str) -> str:
    """The name without following words that only begin a sentence ("Lars Jeg")."""
    words = name.split(" ")
    stop = next((place for place, word in enumerate(words) if _is_stop(word)), len(words))
    return " ".join(words[: stop - (stop > 1 and words[stop - 1] in _AND)])


def _is_known(name: str) -> bool:
    """A common given name, or a patronymic: companies are greeted too, so a greeting alone is no proof."""
    first = name.lower().split(" ")[0]
    if name.islower() and first in ALSO_WORDS:
        return False
    return first in GIVEN_NAMES or first.split("-")[0] in GIVEN_NAMES or _PATRONYMIC.search(name) is not None


def _is_person(name: str) -> bool:
    return _COMPANY.search(name) is None and name.lower() not in PLACES


@dataclass(frozen=True)
class _Form:
    """A way to announce a name; one of ``hints``, separated by ``|``, is in every lower-case text that has it."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    needs_known: bool

    def may_be_in(self, low: str) -> bool:
        for hint in self.hints:  # noqa: SIM110 - a generator would cost more than the look-ups
            if hint in low:
                return True
        return False

    def find(self, text: str, start: int = 0) -> Iterator[Span]:
        accept = _is_known if self.needs_known else _is_person
        for match in self.pattern.finditer(text, start):
            name = _trimmed(match["name"])
            if name and accept(name):
                yield Span(match.start("name"), match.start("name") + len(name), Kind.NAME)


def _form(hints: str, pattern: str, *, needs_known: bool = False) -> _Form:
    return _Form(tuple(hints.split("|")), re.compile(pattern), needs_known)


_HELLO_HINTS = "hej|hei|hi |hi,|hi!|hello|dear|kær|kära|käre|kjær|goddag|god |godm|good |hall|tjena|mojn|davs|hey"
_BYE_HINTS = "vh|v.h|kh|k.h|bh|b.h|hils|häls|hels|nligs|nligen|regards|wishes|sincerely|yours|cheers|forhånd|förhand"
_FORMS = (
    _form(
        _HELLO_HINTS,
        rf"{_SENTENCE}(?i:(?:{_HELLO})(?:\s(?:igen|igjen|kære|there))?)[ ,!]{{1,2}}{_NAME}"
        r"(?=\s*(?:[,.!:?;)\n–-]|$)|[ ](?:og|och|and|jeg|jag|eg|tak|tack|takk|vi|i)\b)",
        needs_known=True,
    ),
    _form(
        _HELLO_HINTS,
        rf"{_LINE}(?i:{_HELLO})[ ,]{{1,2}}{_LOWER_ONE}(?=[ ,.!\n]|$)",
        needs_known=True,
    ),
    _form(_BYE_HINTS, rf"(?<!\w)(?i:{_BYE})\s?[,.!:;–-]{{0,2}}\s{{0,6}}{_FROM}{_COUPLE}"),
    _form(
        _BYE_HINTS,
        rf"(?<!\w)(?i:{_BYE})[,.!:]?\s{{1,6}}{_FROM}{_LOWER_NAME}(?=\s{{0,4}}(?:[.,!\n\[]|$))",
        needs_known=True,
    ),
    _form("hedder|heter|heiter|navn|namn|name|underte", rf"(?<!\w)(?i:{_MY_NAME})[ :]{{1,2}}{_NAME}"),
    _form(
        "heter|hedder|heiter|navn|namn|name",
        rf"(?<!\w){_NAME}[ ](?i:{_IS_MY_NAME})(?!\w)",
        needs_known=True,
    ),
    _form("jeg,|jag,|eg,", rf"(?<!\w)(?i:jeg|jag|eg),[ ]{_NAME}(?=,)"),
    _form(
        "jeg er |jag är |eg er |i'm |i’m |i am |navn |namn |name ",
        rf"(?:(?<!\w)(?i:{_I_AM})|{_LINE}(?i:navn|namn|name))[ ]{_NAME}",
        needs_known=True,
    ),
    _form(
        "det er |det är |this is |her er |här är ",
        rf"(?<!\w)(?i:{_IT_IS})[ ]{_NAME}(?=[ ,]{{1,2}}(?:der|som|her|här|here|igen|igjen|again|fra|från|from)\b)",
        needs_known=True,
    ),
    # The beginning of a sender's block: an address, a telephone or a mail address follows.
    _form(
        ", ",
        rf"{_LINE}(?P<name>{_ONE}{_NEXT})(?=,[ ][{_UP}][^\n,]{{3,30}}[ ][0-9]{{1,3}}[A-Z]?(?!\w))",
        needs_known=True,
    ),
    _form("\n", rf"{_LINE}{_NAME}(?=,?\n(?:[^\n@]{{0,30}}[^\n@ ]@|[^\n]{{2,40}}[0-9]))", needs_known=True),
    _form(":", rf"(?:{_LINE}|(?<=[.;,(]\s)|(?<=\())[ >*]{{0,3}}(?i:{_LABEL})\s?:[ *]{{0,3}}{_NAME}"),
    _form(
        "min |mit |mitt |mi |my ",
        rf"(?<!\w)(?i:min|mit|mitt|mi|my)\s(?i:{_RELATIVE})[, ]{{1,2}}(?P<name>{_ONE}(?:[ ]{_ONE})?)",
        needs_known=True,
    ),
)
_LAST_WORD = re.compile(rf"[{_UP}]{_L}*[ .!\n]{{0,4}}$")
_LAST_LINE = _form(
    "",
    rf"(?:(?:^|(?<=[\n .!?]))[/–—-]{{1,2}}[ ]?|\n{{1,3}}[ ]?"
    rf"|(?:^|(?<=\n)|(?<=[.!?][ ]))(?i:{_THANKS})[,.!]?[ \n]{{1,3}}{_FROM}){_COUPLE}(?=[ .!\n]{{0,4}}$)",
    needs_known=True,
)


def find_names(text: str, country: str | None) -> Iterator[Span]:
    """Names that the text announces; company and team names, and words that begin a sentence, stay."""
    low = text.lower()
    for form in _FORMS:
        if form.may_be_in(low):
            yield from form.find(text)
    if _LAST_WORD.search(text, max(0, len(text) - 30)):
        yield from _LAST_LINE.find(text, max(0, len(text) - 80))
