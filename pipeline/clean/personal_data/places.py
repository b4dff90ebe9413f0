"""Street addresses of Denmark, Sweden and Norway, and licence plates."""

import re
from collections.abc import Iterator

from .evidence import DASH, any_word
from .kinds import Kind, Span

_UP = "A-ZÆØÅÄÖÉÜ"
_LETTER = r"[^\W\d_]"

_HOUSE = (
    r"[0-9]{1,3}(?:[A-Za-z](?!\w)|[ ][A-Hb-h](?!\w))?"
    rf"(?:{DASH}[0-9]{{1,3}}(?!\w)[A-Z]?)?(?![\w%])(?![.,:][0-9])"
)
_FLOOR = r"""(?:,?\s?(?:
    (?:st|stuen|kld?|kælderen|[0-9]{1,2})\.?(?:\ssal|\setasje|\setg)?\.?,?\s?
    (?:t\.?\s?v|t\.?\s?h|m\.?\s?f|dør\s[0-9]{1,3})(?!\w)(?:\.(?=,|\s[a-zæøåäö]))?
    |[0-9]{1,2}\.?\s?(?:sal|etasje|etg|tr|trp|trappor|vån|våningen)(?!\w)
    |(?:lgh|lägenhet|lägenhetsnummer|leil|leilighet|dør|våning)\.?\s?[0-9]{1,4}|[HUKL]0[0-9]{3}
    |(?:oppgang|uppgång|opgang)\s[A-Z0-9](?!\w)|stuen(?!\w)|(?:st|kld?)\.?(?=,)))"""
_TOWN = rf"[{_UP}]{_LETTER}{{1,24}}(?:[ ]i[ ](?=[{_UP}]))?(?:[ -][{_UP}]{_LETTER}{{0,20}})?(?!\w)"
_POSTAL = r"[,;]?\s{0,2}(?:(?:DK|SE|S|NO|N|FI)[- ])?(?P<code>[0-9]{4}|[0-9]{3}[ ]?[0-9]{2})[ ]{1,2}"
_ADDRESS = re.compile(
    rf"""(?<![\w\-])(?P<street>{_LETTER}(?:{_LETTER}|[\-'’]){{1,34}})\.?[ ]{{1,2}}(?:(?:nr|nummer)\.?[ ])?
    (?P<house>{_HOUSE})(?P<floor>{_FLOOR}(?:{_FLOOR})?)?(?P<postal>{_POSTAL}{_TOWN})?
    (?(postal)|(?:,[ ]{_TOWN}(?=\s{{0,3}}(?:[.,;!?\n]|$)))?)""",
    re.VERBOSE,
)
_LOWER_TOWN = re.compile(rf"{_POSTAL}{_LETTER}{{2,24}}(?!\w)")
_EARLIER_WORD = re.compile(rf"(?:[{_UP}](?:{_LETTER}|\.){{0,20}}[ ]|(?:[{_UP}]\.){{1,2}}[ ]?)$")
_NO_NAME = re.compile(
    any_word(
        """
        bor bur jeg jag eg vi i den det fra från frå til till på ved vid hos min mit mitt vores vår og och
        send skicka lever leverer leveres leverera hent hämta to at my we from the ejendommen boligen
        huset lejligheden leiligheten lägenheten pakken paketet pakka *adress*
        """
    )
)

# A compound with one of these is a street; alone, it needs a name before it ("Sankt Hans Gade").
_STREET = tuple(
    """
    vej vejen gade gaden allé allè alle alleen alléen stræde strædet boulevard boulevarden plads pladsen torv torvet
    vænge vænget kaj kajen gatan gata vägen väg gränd gränden torg torget allén stigen backen esplanaden promenaden
    gate gaten veien vei vegen veg plass plassen smuget svingen bakken tunet faret
    """.split()
)
# These also end other words, so a town, a floor or the word address must support them.
_MAYBE_STREET = tuple(
    """
    park parken have haven bakke backe gård gården vang vangen lund lunden mark marken høj højen toft toften sti
    stien stig dal dalen eng engen ager krog krogen holm holmen strand stranden brink brinken plan platsen plats
    kvarter kvarteret bryn brynet passage bro huset ringen kroken jordet lia haugen hagen åsen terrasse terrassen
    brygge brygga bryggen løkke løkken løkka skov skoven led leden slingan höjden berget kanalen hamn havn leiret
    """.split()
)
_ROAD = "vej vei väg veg vejen veien vägen vegen"
_PLACE = "plads plass plats pladsen plassen platsen"
_ROAD_OF = any_word(
    """
    motor hoved huvud lande riks europa fylkes läns lands jern järn cykel sykkel om under halv ud af ad ind ut
    av in for frem skille kors gennemfarts grus
    """
)
_PLACE_OF = any_word(
    """
    parkerings arbejds arbeids arbets lege leke lek sidde sitte sitt stå ståe bord vindues vindus fönster
    camping op lager hylde hyll båt båd studie elev barnehage praktik praksis liste pall pris topp top første
    anden tredje andre opbevarings
    """
)
_LOOK_ALIKES = any_word(
    """
    brigade renegade colgate seagate gate nogle alle falle skalle kalle calle valle tralle balle galle halle
    """
)
_NO_STREET = re.compile(
    rf"(?:{_ROAD_OF})?(?:{any_word(_ROAD)})|(?:{_PLACE_OF})?(?:{any_word(_PLACE)})|{_LOOK_ALIKES}",
    re.IGNORECASE,
)
_AT_HOME = any_word(
    """
    adress* address bor bodde bodd boede bur live lives flytt* flyttet lever levere* levert levera* leverans*
    send sendt sendes skick* delivered hjemme hemma heime hentes
    """
)
_ADDRESS_WORD = re.compile(rf"\b(?:{_AT_HOME})\b[^.!?\n]{{0,30}}$", re.IGNORECASE)
_UNITS = any_word(
    """
    kr kroner kronor stk styck* st cm mm m km kg g ml cl dl l gb tb mb dag dage dagar dager timer timmar gang
    gange gånger ganger nat nætter natt nätter netter nights år uger veckor uker personer minutt* minutter
    minuter liter watt w pers x procent prosent ud_af i_alt i_rad
    """
)
_UNIT = re.compile(rf"[ ]?(?:{_UNITS})\b", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")


def _earlier_words(text: str, start: int) -> int:
    """Where the street's name begins: up to three capitalised words before its last one ("Store Kongens Gade")."""
    for _ in range(3):
        earlier = _EARLIER_WORD.search(text[max(0, start - 24) : start])
        if not earlier or _NO_NAME.fullmatch(earlier[0].strip().lower()):
            break
        start -= len(earlier[0])
    return start


def _is_address(text: str, match: re.Match[str], named: bool) -> bool:
    street, low = match["street"], match["street"].lower()
    capital = street[0].isupper() or named
    if not match["floor"] and _UNIT.match(text, match.end("house")):
        return False
    if match["postal"] and capital and not _YEAR.fullmatch(match["code"]):
        return True
    if street == "Gate" or (_NO_STREET.fullmatch(low) and not named):  # an airport's gate
        return False
    typed = low.endswith(_STREET) and (named or low not in _STREET)
    if typed and capital:
        return True
    town = match["postal"] or _LOWER_TOWN.match(text, match.end("house"))
    said = _ADDRESS_WORD.search(text[max(0, match.start() - 60) : match.start()])
    possible = typed or (capital and (match["floor"] or low.endswith(_STREET + _MAYBE_STREET)))
    return bool((town and said) or (possible and (town or said or match["floor"])))


_BOX = re.compile(rf"(?<!\w)(?:Box|Boks|Postboks|Postbox|PB)\.? [0-9]{{1,5}}{_POSTAL}{_TOWN}")


def find_addresses(text: str, country: str | None) -> Iterator[Span]:
    """Street and number, with floor, door, postal code and town where they follow."""
    yield from (Span(match.start(), match.end(), Kind.ADDRESS) for match in _BOX.finditer(text))
    for match in _ADDRESS.finditer(text):
        start = _earlier_words(text, match.start())
        if _is_address(text, match, start < match.start()):
            lower = None if match["postal"] else _LOWER_TOWN.match(text, match.end())
            yield Span(start, lower.end() if lower else match.end(), Kind.ADDRESS)


_PLATE = re.compile(
    r"""(?<![\w\-/.])(?:[A-HJ-PR-Z]{2}[ -]?[0-9]{2}[ -]?[0-9]{3}|[A-HJ-PR-UW-Z]{3}[ -]?[0-9]{2}[0-9A-HJ-NP-UW-Z])
    (?![\w\-/])(?!\.[0-9])""",
    re.IGNORECASE | re.VERBOSE,
)
_CAR = any_word(
    """
    nummerpla* nummerskil* nummerskylt* registreringss* registreringsn* registrert registrerad registreret
    indregistrer* indreg reg regnr regnummer* skylt* skilt* plade* plate plates license licence bil bilen bilens
    bils leiebil* lejebil* hyrbil* firmabil* varebil* skåpbil* park parks parked parking parker* parkér* car van
    vehicle truck kør* kjør* köra körde trailer* tilhenger* släp* motorcykel* motorsykkel* mc moped* scooter*
    knallert* køretøj* kjøretøy* fordon* lastbil* taxi* volvo toyota skoda škoda tesla golf audi bmw peugeot kia
    ford opel polo passat p-kælder* p-hus* p-bot* p-böter däck* dæk* dekk* eu-kontroll* bompassering* besiktning*
    verksted* verkstad* værksted*
    """
)
_PLATE_WORD = re.compile(
    rf"""\b(?:{_CAR})\b""",
    re.IGNORECASE,
)
_ARTICLE = any_word(
    """
    *ordre *order *vare *vara artikel *model *modell *produkt reserve* reservdel* *del *serie *rabat* *kupon
    *gavekort *filter* bestill* *faktura* *kode *kod *code sku art item part booking bokning sag sak ärende
    fly flight batch
    """
)
_ARTICLE_WORD = re.compile(
    rf"""\b(?:{_ARTICLE})(?:s?(?:nummer|nummeret|numret|nr|number|no))?\b[\w .:,\#\-]{{0,8}}$""",
    re.IGNORECASE,
)


def find_plates(text: str, country: str | None) -> Iterator[Span]:
    """Licence plates beside a word for the car or the plate: without one, they look like article codes."""
    for match in _PLATE.finditer(text):
        before = text[max(0, match.start() - 60) : match.start()]
        told = _PLATE_WORD.search(before) or _PLATE_WORD.search(text, match.end(), match.end() + 40)
        if told and not _ARTICLE_WORD.search(before):
            yield Span(match.start(), match.end(), Kind.PLATE)
