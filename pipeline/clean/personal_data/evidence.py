"""What the words around a number say it is.

A number alone is often ambiguous: eight digits are a Danish telephone number or an order number. The words beside it
decide, read outwards from the number over filler words ("nummer er", "till mig på") until the first telling word.
"""

import re
from enum import Enum, auto
from functools import lru_cache

# The separators people type inside numbers: spaces of all widths, and hyphens of all lengths.
SPACE = "[ \u00a0\u2007\u2009\u202f]"
DASH = "[-\u2010-\u2014\u2212]"
SEPARATOR = "[ \u00a0\u2007\u2009\u202f.\u00b7/\\-\u2010-\u2014\u2212]"
# A number starts and ends where no word, decimal or longer number goes on.
START = r"(?<![\w+])(?<![0-9][.,:])"
END = r"(?![\w])(?![.,:][0-9])"


def any_word(listed: str) -> str:
    """An expression for any of the listed words: ``*`` is any letters, ``+`` at least one, ``_`` a space."""
    words = re.escape(" ".join(listed.split())).replace(r"\ ", "|")
    return words.replace(r"\*", r"\w*").replace(r"\+", r"\w+").replace("_", r"\s")


class Cue(Enum):
    """What a telling word announces."""

    PHONE = auto()
    IDENTITY = auto()
    ACCOUNT = auto()
    CARD = auto()
    OTHER = auto()  # an order, a price, a parcel …: no personal data


_WORDS = {
    Cue.PHONE: """
        tlf tel mob cell ph phone phones telephone landline telefon* mobil* mobtlf mobilnr telefonnr puhelin
        opringning ring ringe ringer ringes ringet ringt ringte ringa ringde ringar ringd call called
        calling sms* text nå når når nås nåes træffes træffe fanges fange träffas treffes treffe kontakt*
        contact reach whatsapp signal viber vipps* mobilepay* swish* fastnet* fasttelefon* hemtelefon*
        hjemmenummer* arbejdsnummer* jobbnummer*
        """,
    Cue.IDENTITY: """
        cpr* personnummer* personnumret personnr pnr fnr fødselsnummer* fodselsnummer* fødselsnr dnummer*
        dnr ssn samordningsnummer* samordningsnumret samordningsnr identitetsnummer* sundhedskort*
        sygesikring* personal personligt
        """,
    Cue.ACCOUNT: """
        konto kontoen kontot kontonr kontonummer* kontonumret kto bankkonto* lønkonto* lönekonto*
        lønnskonto* nemkonto* sparekonto* sparkonto* budgetkonto* privatkonto* brukskonto* bankkontonr
        clearing* reg regnr account bankgiro* plusgiro* postgiro* giro girokonto* bg pg bgnr
        """,
    Cue.CARD: """
        kort kortet kortnr kortnummer* kortnumret kreditkort* kredittkort* betalingskort* betalkort*
        bankkort* debetkort* debitkort* dankort* visakort* visa mastercard maestro amex express card cards
        """,
    Cue.OTHER: """
        ordre ordren order ordern ordrer orders bestil* beställning* pakke pakken paket paketet pakka kolli*
        forsendelse* försändelse* sending* spor* spår* track* trace shipment parcel package vare varen vara
        varan artik* article art produkt* product item prod part model modell modellen serie serial series
        faktura* invoice bilag* kvittering* kvitto* receipt bon sag sagen sak saken ärende* ticket case ref
        refer* booking* bokning* reserv* medlem* member* membership kunde kund customer client ean sku isbn
        gtin upc imei sscc vin stregkode* streckkod* strekkode* barcode voucher gavekort* presentkort*
        kupon* rabat* kode koden kod koden code pin lot batch parti cvr org organisation* organisasjon* vat
        moms mva se police* polise* policy forsikring* försäkring* retur* return reklam* claim skade* måler*
        mätar* målar* aftale* avtal* anlegg* anlæg* anläggning* rom rommet rum rummet værelse* room *billet*
        *biljett* flight fly tog tåg bus buss uge vecka veke uke year years år åren ip version* firmware
        software build pris* price beløb* belopp* kr dkk sek nok eur euro usd kl klokken klockan str
        størrelse* storlek* stl size sizes dato datum date id log delivery leverance* leverans* lager butik*
        store transaktion* transaction betaling payment hylla hylle reol mål mått koordinat* coordinates
        lodd lott lotto* tal tall serienr bestnr p wo rma po so abonnement* abonnemang* avi ocr kid
        lagersaldo poeng poäng point points +kort +kortet +nummer +nummeret +numret +numre +nr +kode +kod
        +koden hour hours ordreid orderid kundeid kundid bookingid transaktionsid sagsid garanti* passord*
        password* lösenord* lisens* licens* license* *nøgle *nøglen *nøkkel *nyckel adgangskode* temperatur*
        *plads *plats *plass feilkode* felkod* fejlkode*
        """,
}
_CUES = [(cue, re.compile(any_word(listed))) for cue, listed in _WORDS.items()]
_FILLER = frozenset(
    """
    nr nummer numret nummeret num no number er är det this that is was was var blev ble blir lyder lød heter
    hedder heiter mit mitt mi min my mine the a en et ett ei den dette denne detta deres jeres vores vår vårt
    our your ert og och and har have has med with som følgende följande følgjande oplyst angiv angav hos ved
    under also også även igen igjen gerne gärna gjerne helst eller or bare direkte direkt privat hjem hem står
    from fra från samme samma new ny nye nytt nya gammel gamla gamle hele hela heile fulde danske svenska norske
    danish swedish norwegian rigtig rigtige riktig riktige rätt korrekt venligst please vänligen vennligst
    correct dagtid kveld aften kväll arbejde arbete jobb work home
    """.split()
)
# "pakken … på 22 33 44 55": past these words only a telephone can still be meant.
_TOWARDS = frozenset(
    """
    på til till mig mej meg me us os oss ham hende henne honom han hun at on to i tilbage tilbake tillbaka back
    upp opp op her här for för
    """.split()
)
_BARE_NUMBER = frozenset({"nummer", "nummeret", "numret", "number"})
_NO_PAYMENT_CARD = frozenset({"gift", "member", "membership", "loyalty", "library", "bonus", "sim", "travel", "id"})
_WORD = re.compile(r"[^\W\d_]+")
_BREAK = re.compile(r"[,;!?]|[0-9]\s*\n")
_SENTENCE_END = re.compile(r"[.!?;,\n0-9]")
_UNITS = any_word(
    """
    kr kroner kronor krone dkk sek nok eur euro usd stk stykker stycken st pcs cm mm km meter m2 m kg gram g mg
    ml cl dl liter l kb mb gb tb mah kwh kw w watt volt v hz mhz ghz px pixel* procent prosent percent timer
    timmar dage dagar dager days uger veckor uker weeks år years gange gånger ganger times point* poäng poeng
    personer kunder customers million* miljon* millioner mio mia visning* views følger* følgjar* följare
    followers steg skridt steps kalorier kcal
    """
)
_UNIT = re.compile(rf"\s?(?:[%€$£°]|(?:{_UNITS})\b)", re.IGNORECASE)


@lru_cache(maxsize=4096)
def _cue_of(word: str) -> Cue | None:
    return next((cue for cue, pattern in _CUES if pattern.fullmatch(word)), None)


def _walk(words: list[str]) -> Cue | None:
    """The first telling word; none beyond a word that is neither telling nor filler."""
    towards = False
    for place, word in enumerate(words):
        cue = None if word in _TOWARDS else _cue_of(word)
        if cue is Cue.CARD and _NO_PAYMENT_CARD.intersection(words[place + 1 : place + 2]):
            cue = Cue.OTHER
        if cue and not (towards and cue is Cue.OTHER):
            return cue
        if word not in _FILLER and word not in _TOWARDS:
            break
        towards = towards or word in _TOWARDS
    return None


def is_quantity(text: str, end: int) -> bool:
    """Whether a unit or a currency follows directly."""
    return _UNIT.match(text, end) is not None


def cue_before(text: str, start: int) -> Cue | None:
    """The telling word that leads to the number, if any; "mit nummer er …" alone announces a telephone."""
    window = _BREAK.split(text[max(0, start - 60) : start].lower())[-1]
    words = _WORD.findall(window)[:-8:-1]
    return _walk(words) or (Cue.PHONE if _BARE_NUMBER.intersection(words[:3]) else None)


def cue_after(text: str, end: int) -> Cue | None:
    """The telling word that follows in the same sentence: "… er mit ordrenummer", "… (mobil)"."""
    sentence = _SENTENCE_END.split(text[end : end + 40].lower(), maxsplit=1)[0]
    return _walk(_WORD.findall(sentence)[:5])


def cue(text: str, start: int, end: int) -> Cue | None:
    """What the number at ``start:end`` is according to its surroundings; None when they say nothing."""
    if is_quantity(text, end):
        return Cue.OTHER
    return cue_before(text, start) or cue_after(text, end)
