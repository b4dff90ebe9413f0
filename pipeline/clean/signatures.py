"""The foot of a mail: sign-offs with names and numbers, "Sendt fra min iPhone", legal disclaimers.

Only whole lines are cut, and only what cannot be a complaint: "Hilsenen på kortet var forkert" is none of these.
"""

import re
from collections.abc import Sequence

from .text import words

_GREETINGS = words(
    "hilsen hilsner hilsener hälsning hälsningar hälsn helsing helsingar regards wishes"
    " klem klemmer klemmar knus kram kramar"
)
_GREETING_WORDS = words(
    "med venlig venlige venligste kærlig kærlige mange bedste de varm varme god gode go tusind tak takk tack og och på"
    " forhånd förhand vänlig vänliga bästa många varma hjärtlig hjärtliga soliga glade glad vennlig vennlige vennligst"
    " beste hjertelig venleg vennleg venlege gode dag weekend helg with kind kindest best warm warmest many thanks and"
    " store stor stora stort en ein ei et"
)
_SIGN_OFFS = words("mvh m.v.h vh v.h dbh kh br vänligen venligst sincerely cheers") | {
    *("m v h", "yours sincerely", "sincerely yours", "yours faithfully", "yours truly", "all the best", "allt gott"),
    *("alt godt", "hilsen herfra", "de bedste hilsner"),
}
_LONGEST_SIGN_OFF = 7  # words
# What nobody writes inside a sentence: a name in lower case may follow it.
_ABBREVIATIONS = words("mvh m.v.h vh v.h dbh kh br")
_SLASH = re.compile(r" ?/ ?")
_NAME_PARTICLES = words(
    "fra från frå from af av of og och and & + v/ i på de der da van von the med familj familie familien family"
)
_NAME_STEMS = (
    "kund",
    "skuff",
    "besvik",
    "utilfreds",
    "missnöj",
    "misfornøy",
    "misnøg",
    "vred",
    "sur ",
    "arg ",
    "aldri",
    "forbann",
)
_CONTACT = re.compile(
    r"[^\s@]@[\w-]+\.\w|\bwww\.|https?://|^(?:tlf|tel|telefon|telefonnr|phone|mob|mobil|mobile|fax|e-?mail"
    r"|e-?post|mail|web"
    r"|adresse|address|org\.? ?nr|cvr|kundenr|kundenummer|medlemsnr|m|t|d|e|w|p)\b\.? ?[:.+(\d]|^\+?[\d ()-]{8,}$",
    re.IGNORECASE,
)
_SLASH_NAME = re.compile(r"/{1,2} ?[A-ZÆØÅÄÖ][\w-]*(?: [A-ZÆØÅÄÖ][\w.-]*)?")
_POSTSCRIPT = re.compile(r"(?:ps|p\.s|nb|obs)\b", re.IGNORECASE)
_DELIMITERS = words("-- --- — ___ __ *-*-*")
_WINDOW = 30  # lines: a sign-off further from the end is part of the story
_SIGNATURE_LINES = 14

_IMAGE = re.compile(r"\[(?:cid|image|billede|bild|bilde|bilete):[^\]]*\]", re.IGNORECASE)
_DEVICE_LEADS = words(
    "sendt skickat sent sänt sänd hent hämta get download last skaff skaffa få send skrevet skrivet från fra frå from"
)
_DEVICE_NAMES = words(
    "iphone ipad ios android samsung galaxy huawei oneplus xperia nokia htc blackberry pixel motorola outlook"
    " windows mail"
    " yahoo proton protonmail spark gmail mobil mobilen mobiltelefon mobile phone telefon telefonen"
    " smartphone tablet tablett"
    " e-post epost e-mail email bluemail surfplatta nettbrett icloud thunderbird airmail hotmail aol mac"
    " macbook fairphone"
    " smarttelefon smarttelefonen mobilapp sony lg xiaomi redmi oppo zte doro one.com ipad"
)
_DEVICE_WORDS = _DEVICE_NAMES | words(
    "min mitt mit mi my deg dig fra från frå from via med with til till to for för på on the using app appen"
    " en et ett a pro max plus"
    " mini ultra edge note 5g 4g lite secure encrypted meddelande besked melding enhed enhet eining device se of free"
    " desktop touch air sikker krypteret og och and wifi tlf phone mobil"
)
_APOLOGY = re.compile(
    r"[.,;–-] ?(?:så |so )?(?:undskyld|beklager|orsaka|ursäkta|förlåt|sorry|please excuse|excuse)\b[^.!?]{0,40}"
    r"(?:fejl|feil|fel|typos?|brevity|errors?)[.!]?$",
    re.IGNORECASE,
)
_THIS_WAS = re.compile(
    r"(?:denne|dette|denna|detta|this) (?:\S{0,3}mail|besked|meddelelse|meddelande|melding|e-post|message)"
    r" (?:er|är|blev|ble|is|was) ",
    re.IGNORECASE,
)
_ORNAMENTS = " .-–—*_"
_LINK = re.compile(r"\s*[<(\[]?https?://\S{1,400}")

_THIS_MAIL = re.compile(
    r"\b(?:denne|dette|denna|detta|this|the) (?:(?:e-?mail|e-?post|mail|epost|mejl|besked|meddelelse"
    r"|meddelande|melding|meldinga"
    r"|message|communication|e-?postmelding|e-?postmeddelande)(?:en|n|et|a|s)?)\b|\bdenne e-?posten\b"
    r"|\binformationen i (?:denne|detta)\b",
    re.IGNORECASE,
)
_LEGAL = re.compile(
    r"\b(?:fortrolig|fortroleg|konfident|konfidens|confidential|tiltænkt|tiltenkt|avsed|beregnet|meint"
    r"|ment for|intended|modtager|mottak|mottag"
    r"|adressat|addressee|recipient|ved en fejl|ved en feil|ved feil|ved ein feil|fejlagtigt|av misstag"
    r"|felaktigt|in error|slet|slett|radera|delete"
    r"|vedhæft|vedlegg|vedlagt|bilag|bifoga|attach|virus|tavshedspligt|taushetsplikt|teieplikt|sekretess"
    r"|privileged|juridisk"
    r"|uautoriser|obehörig|unauthori[sz]ed|kopier|videreform|sprid|disclos|gjort oppmerksom)",
    re.IGNORECASE,
)
_FIRST_PERSON = words("jeg jag eg mig mej meg min mit mitt mine mina i'm i my")
_DISCLAIMER_WORDS = 10
_PRINT = re.compile(
    r"(?:tænk på miljøet|tænk på naturen|tänk på miljön|tenk på miljøet|tenk miljø|tenk på naturen"
    r"|spar på papiret|spara på miljön|skån miljøet"
    r"|please consider the environment|think before you print|behöver du skriva ut|må du skrive ut"
    r"|må du virkelig skrive ut)",
    re.IGNORECASE,
)
_PRIVACY = re.compile(
    r"(?:(?:læs|läs|les|read) [^.!?]{0,60}\b(?:vores|vår|våre|our|vi|we) [^.!?]{0,40}|vi behandl(?:er|ar) [^.!?]{0,20})"
    r"(?:personop|personup|privacy)",
    re.IGNORECASE,
)
_SCANNED = re.compile(
    r"\b(?:avast|avg|virusfri|virus-free|virusscannet|f-secure|norton)\b.*\b(?:virus\w*|www|avast|avg)", re.IGNORECASE
)
_BANNER = re.compile(
    r"ekstern(?:t|e)? (?:afsender|avsender|e-?mail|e-?post|kilde)|extern(?:al)? (?:avsändare|sender|email"
    r"|source|e-post)"
    r"|uden for (?:din |vores )?organisation|utenfor (?:din )?organisasjon|utanfor organisasjon"
    r"|utanför (?:din )?organisation"
    r"|outside (?:of )?(?:the|your|our) organi[sz]ation|don't often get e-?mail|får ikke ofte mail"
    r"|får inte ofta e-post"
    r"|får ikke ofte e-post",
    re.IGNORECASE,
)
_BANNER_CUES = ("extern", "ekstern", "organi", "often get", "ofte")
_BANNER_WORDS = 70


def is_device_line(line: str) -> bool:
    """ "Sendt fra min iPhone", "Hämta Outlook för Android" — never "Sendt fra Kina i stedet for Danmark"."""
    line = _THIS_WAS.sub("", line, count=1)
    if len(line) > 500 or line[-1:] in "!?" or line.split(" ", 1)[0].lower().strip(_ORNAMENTS) not in _DEVICE_LEADS:
        return False
    tokens = _APOLOGY.sub("", _LINK.sub("", line)).strip(_ORNAMENTS).lower().split()
    if not 2 <= len(tokens) <= 11:
        return False
    names = [token.strip(".,®™()") for token in tokens[1:]]
    known = [part for name in names for part in ([name] if name in _DEVICE_WORDS else name.split("-"))]
    has_name = not _DEVICE_NAMES.isdisjoint(known)
    return has_name and all(part in _DEVICE_WORDS or len(part) < 2 or any(c.isdigit() for c in part) for part in known)


def is_image_line(line: str) -> bool:
    """What Outlook and Gmail leave of a picture in plain text: "[cid:image001.png@01DA]"."""
    return len(line) < 300 and _IMAGE.fullmatch(line) is not None


def is_disclaimer(paragraph: Sequence[str]) -> bool:
    """Legal small print, "think before you print" and virus scanners' advertisements; nobody says "I" in them."""
    text = " ".join(paragraph)[:3000]
    tokens = text.lower().split()
    if not _FIRST_PERSON.isdisjoint(tokens):
        return False
    if _PRINT.match(text.lstrip("*-–_ P")) or _PRIVACY.match(text) or (len(tokens) < 25 and _SCANNED.search(text)):
        return len(tokens) < 40
    cues = {match.group().lower()[:5] for match in _LEGAL.finditer(text)}
    return len(tokens) >= _DISCLAIMER_WORDS and len(cues) >= 2 and _THIS_MAIL.search(text) is not None


def is_banner(paragraph: Sequence[str]) -> bool:
    """The warning that a gateway writes above mail from outside."""
    text = " ".join(paragraph)[:1000].lower()
    return any(cue in text for cue in _BANNER_CUES) and len(text.split()) < _BANNER_WORDS and bool(_BANNER.search(text))


def signature_lines(lines: Sequence[str]) -> set[int]:
    """The indexes of the lines that are sign-offs and what belongs to them."""
    cut: set[int] = set()
    for at in range(max(0, len(lines) - _WINDOW), len(lines)):
        if at not in cut and lines[at]:
            cut.update(range(at, _end_of_signature(lines, at)))
    return cut


def _end_of_signature(lines: Sequence[str], at: int) -> int:
    """The line after the signature that starts on line `at`; `at` itself where none does."""
    if lines[at] in _DELIMITERS:
        end = _end_of_block(lines, at + 1, named=True)
        return end if end > at + 1 or at in (0, len(lines) - 1) else at
    if _is_sign_off(lines[at]):
        tokens = lines[at].split()
        end = _end_of_block(lines, at + 1, named=_sign_off_words(tokens) < len(tokens))
        # A sentence that goes on right below tells of a letter that somebody else signed.
        below = lines[end] if end < len(lines) else ""
        goes_on = below and (_is_prose(below) or below[0].islower()) and not _POSTSCRIPT.match(below)
        return at if goes_on else end
    return at + 1 if at == len(lines) - 1 and _SLASH_NAME.fullmatch(lines[at]) else at


def _is_sign_off(line: str) -> bool:
    """A whole line that says goodbye, alone or with a name behind it."""
    if len(line) > 80:
        return False
    first, *others = [part.split() for part in _SLASH.split(line)]
    return _is_one_sign_off(first) and all(_is_one_sign_off(other) or _is_name(other) for other in others)


def _is_one_sign_off(tokens: list[str]) -> bool:
    count = _sign_off_words(tokens)
    name = tokens[count:]
    if not count or not name:
        return count > 0
    if tokens[-1][-1] in "!?" or len(name) > 6 or _has_feeling(name):
        return False
    alone = len([word for word in name if word not in _NAME_PARTICLES]) == 1
    return _is_name(name) or (alone and (count > 1 or _bare(tokens[0]) in _ABBREVIATIONS))


def _sign_off_words(tokens: list[str]) -> int:
    """How many words of `tokens`, from the first, are a sign-off; 0 where they are none."""
    for count in range(min(_LONGEST_SIGN_OFF, len(tokens)), 0, -1):
        *before, last = [_bare(token) for token in tokens[:count]]
        greeting = last in _GREETINGS and _GREETING_WORDS.issuperset(before)
        if greeting or " ".join([*before, last]) in _SIGN_OFFS:
            return count
    return 0


def _bare(token: str) -> str:
    return token.lower().strip(" ,.!:;-–—*_/\U0001f642\U0001f60a\u2764\ufe0f")


def _end_of_block(lines: Sequence[str], at: int, named: bool) -> int:
    """The line after the last one from `at` on that is a name, a number, an address or a title."""
    end, blank, limit = at, False, min(len(lines), at + _SIGNATURE_LINES)
    while at < limit:
        line = lines[at]
        if not line:
            blank = True
        elif _is_contact(line) or (named and not blank and _is_title(line)) or (not named and _is_bare_name(line)):
            end, named, blank = at + 1, True, False
        else:
            break
        at += 1
    return end


def _is_contact(line: str) -> bool:
    if len(line) > 120 or _POSTSCRIPT.match(line) or _is_prose(line):
        return False
    tokens = line.split()
    return bool(_CONTACT.search(line)) or (len(tokens) <= 8 and _is_name(tokens) and not _has_feeling(tokens))


def _is_title(line: str) -> bool:
    tokens = line.split()
    return len(tokens) <= 4 and line[-1] not in ".!?…:" and not _has_feeling(tokens) and not _POSTSCRIPT.match(line)


def _is_bare_name(line: str) -> bool:
    tokens = line.split()
    return len(tokens) == 1 and line[-1] not in "!?…:" and not _has_feeling(tokens) and not _POSTSCRIPT.match(line)


def _is_name(tokens: Sequence[str]) -> bool:
    """Every word starts with a capital or a digit, or joins such words."""
    bare = [token.strip("(),.*_|/-–\"'") for token in tokens]
    letters = [token for token in bare if token and token[0].isalpha()]
    return bool(bare) and tokens[-1][-1] not in "!?…:" and all(t[0].isupper() or t in _NAME_PARTICLES for t in letters)


def _has_feeling(tokens: Sequence[str]) -> bool:
    """ "Hilsen en skuffet kunde" is said by a customer and stays."""
    text = " ".join(tokens).lower() + " "
    return any(stem in text for stem in _NAME_STEMS)


def _is_prose(line: str) -> bool:
    tokens = line.split()
    lower = sum(token[0].islower() for token in tokens)
    return lower >= 4 and (len(tokens) >= 9 or line[-1] in ".!?…")
