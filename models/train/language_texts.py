"""The texts that the language detector learns from, gathered once into a folder of plain text files.

`gather(folder, data)` writes `<language>.<source>.txt`, a text a line. Sources, and the licences they come under:

- reviews: `sentiment_train.jsonl.gz` (see its README); Norwegian sentences are Bokmål but for a few.
- messages: what programs say, parallel over languages, from the Debian 12 packages in PACKAGES: translations of
  KDE and GNOME (LGPL/GPL), LibreOffice and Firefox and Thunderbird (MPL-2.0), MediaWiki, WordPress, GIMP, GnuCash,
  Wesnoth, Freeciv, LyX, Inkscape (GPL-2+), Marble (LGPL-2.1), Dolphin, Okular, Konsole, KMail (GPL-2+).
- handbook: the Debian Administrator's Handbook (package debian-handbook; GPL-2+ and CC BY-SA 3.0).
- translated: reviews and sentences translated by Apertium 3.8.3's rules (apertium-nno-nob 1.5.0, -dan-nor 1.5.0,
  -swe-nor 0.4.0, -swe-dan 0.8.1; GPL), so that every language has consumer reviews and no subject tells the
  language; a word it does not know cuts the text.
- words: the commonest words of wordfreq 3.1.1 (Apache-2.0; data CC BY-SA 4.0), or of our own texts for Nynorsk.

The shipped weights saw Debian 12's packages as of MediaWiki 1.39.17, WordPress 6.1.9, LibreOffice 7.4.7, KDE Gear
22.12.3, Wesnoth 1.16.9, GnuCash 4.13, the handbook of 11.20220922 and wordfreq 3.1.1.
Nothing of these texts is kept but counts turned into weights of n-grams.
"""

import gettext
import gzip
import html
import json
import random
import re
import subprocess
import zipfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import wordfreq

OURS = ("da", "sv", "nb", "nn", "en")
PACKAGES = (
    "mediawiki wordpress-l10n debian-handbook marble-data digikam-data dolphin konsole kmail okular step parley-data "
    "wesnoth-1.16-data lyx-common gimp-data gnucash-common freeciv-data inkscape plasma-workspace-data git "
    "kalzium-data libreoffice-l10n-nn libreoffice-l10n-nb libreoffice-l10n-da libreoffice-l10n-sv libreoffice-l10n-fi "
    "libreoffice-l10n-de libreoffice-l10n-nl libreoffice-l10n-et libreoffice-l10n-is libreoffice-l10n-fr "
    "libreoffice-l10n-es libreoffice-l10n-it libreoffice-l10n-pl libreoffice-l10n-pt "
    "firefox-esr-l10n-nn-no firefox-esr-l10n-nb-no firefox-esr-l10n-da firefox-esr-l10n-sv-se firefox-esr-l10n-fi "
    "firefox-esr-l10n-de firefox-esr-l10n-nl firefox-esr-l10n-et firefox-esr-l10n-is "
    "thunderbird-l10n-nn-no thunderbird-l10n-nb-no thunderbird-l10n-da thunderbird-l10n-sv-se"
).split()
# Apertium's mode, language of the source, our code of the outcome, bytes to translate. Norwegian Nynorsk comes
# with infinitives in -a and, from the modes in _e, in -e.
TRANSLATIONS = (
    ("nob-nno", "no", "nn", 200_000),
    ("nob-dan", "no", "da", 150_000),
    ("dan-swe", "da", "sv", 100_000),
    ("dan-nob", "da", "nb", 1_000_000),
    ("dan-nno", "da", "nn", 500_000),
    ("swe-nob", "sv", "nb", 400_000),
    ("swe-nno", "sv", "nn", 150_000),
    ("nob-nno_e", "no", "nn", 150_000),
)
WORDS = 12_000
OTHER_WORDS = ("de", "nl", "fi", "is", "fr", "es", "it", "pl", "pt")
# Not languages of their own, or nobody's language.
SKIPPED_CODES = {"qqq", "qqx", "jut", "sco", "simple", "no", "x", "C"}
NEAR = {"de", "nl", "fi", "is", "fo", "et", "fr", "es", "it", "pl", "pt"}
NEAR_MESSAGES, FAR_MESSAGES = 8000, 800
MARKUP = re.compile(
    r"<[^>]*>|\{\{[^}]*\}\}|\{[^}]*\}|https?:\S+|\$\w+|%[\w().#-]+|\\\w|&\w+;|\[\[[^|\]]*\||\S*[/@=]\S*|--?\w+"
)
ACCELERATOR = re.compile(r"[_&~](?=\w)")


def gather(folder: Path, data: Path, seed: int) -> None:
    """Write the text files into `folder`; what is there already is kept."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    for language, texts in reviews(data).items():
        write(folder / f"{language}.reviews.txt", rng.sample(sorted(texts), len(texts)))
    if not (folder / "nn.messages.txt").exists():
        for language, texts in messages(unpacked(folder / "packages"), rng).items():
            write(folder / f"{language}.messages.txt", texts)
    for mode, source, target, size in TRANSLATIONS:
        translate(mode, folder / f"{source}.reviews.txt", folder / f"{target}.translated_{mode}.txt", size)
    for code in (*OURS, *OTHER_WORDS):
        words = common_words(code) if code != "nn" else counted_words(sorted(folder.glob("nn.*.txt")))
        write(folder / f"{code if code in OURS else 'other'}.words_{code}.txt", words)


def write(path: Path, texts: Iterable[str]) -> None:
    if not path.exists():
        path.write_text("\n".join(texts) + "\n", encoding="utf-8")


def reviews(data: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    with gzip.open(data / "sentiment_train.jsonl.gz", "rt", encoding="utf-8") as lines:
        for row in map(json.loads, lines):
            found.setdefault(row["lang"], set()).add(" ".join(row["text"].split()))
    return found


def common_words(code: str) -> list[str]:
    """The commonest words of one language, the commonest first."""
    return [word for word in wordfreq.top_n_list(code, WORDS) if word.isalpha()]


def counted_words(paths: Iterable[Path]) -> list[str]:
    """The same from our texts, for Nynorsk, which wordfreq does not have."""
    words = (word for path in paths for word in re.findall(r"[^\W\d_]+", path.read_text(encoding="utf-8").lower()))
    return [word for word, _ in Counter(words).most_common(WORDS)]


def translate(mode: str, source: Path, target: Path, size: int) -> None:
    """Apertium's translation of the first `size` bytes of a file, cut where a word was unknown."""
    if target.exists():
        return
    text = source.read_bytes()[:size]
    done = subprocess.run(["apertium", mode], input=text, capture_output=True, check=True).stdout
    lines = done.decode(errors="replace").splitlines()
    pieces = (" ".join(piece.split()) for line in lines for piece in re.split(r"\S*[*@#]\S*", line))
    write(target, [piece for piece in pieces if any(map(str.isalpha, piece))])


def unpacked(folder: Path) -> Path:
    """The packages' files; needs Debian's apt-get and dpkg-deb."""
    folder.mkdir(exist_ok=True)
    for name in PACKAGES:
        if not (folder / name).exists():
            subprocess.run(["apt-get", "download", "-q", name], cwd=folder, check=True)
            archive = next(folder.glob(f"{name}_*.deb"))
            subprocess.run(["dpkg-deb", "-x", archive.name, name], cwd=folder, check=True)
    return folder


def messages(packages: Path, rng: random.Random) -> dict[str, list[str]]:
    """Messages by our codes and "other", without those that are the same as in English."""
    by_code: dict[str, set[str]] = {}
    readers = (from_catalogues, from_json, from_addons, handbook)
    for code, message in chain.from_iterable(reader(packages) for reader in readers):
        text = clean(message)
        if code not in SKIPPED_CODES and sum(map(str.isalpha, text)) >= 4:
            by_code.setdefault("nb" if code == "no" else code, set()).add(text)
    found: dict[str, list[str]] = {"other": []}
    for code, texts in sorted(by_code.items()):
        chosen = sorted(texts if code == "en" else texts - by_code["en"])
        if code in OURS:
            found[code] = chosen
        else:
            found["other"] += rng.sample(chosen, min(len(chosen), NEAR_MESSAGES if code in NEAR else FAR_MESSAGES))
    return found


def clean(message: str) -> str:
    return " ".join(ACCELERATOR.sub("", MARKUP.sub(" ", html.unescape(message))).split())


def primary(code: str) -> str:
    code = re.split(r"[-_@.]", code)[0]
    return "nb" if code == "no" else code


def from_catalogues(packages: Path) -> Iterator[tuple[str, str]]:
    """gettext: in `<code>/LC_MESSAGES/`, WordPress has `<code>.mo`; languages far from ours are left to MediaWiki."""
    for path in sorted(packages.rglob("*.mo")):
        code = primary(path.parts[-3] if path.parent.name == "LC_MESSAGES" else path.stem.removeprefix("admin-"))
        if code not in NEAR and code not in OURS:
            continue
        for key, message in catalogue(path).items():
            if key and message:
                yield code, message
            if key and code == "nn":
                yield "en", (key if isinstance(key, str) else key[0]).rpartition("\4")[2]


def catalogue(path: Path) -> dict[str | tuple[str, int], str]:
    """What gettext reads; nothing from a file it cannot read."""
    with path.open("rb") as stream:
        try:
            return dict(vars(gettext.GNUTranslations(stream))["_catalog"])
        except (UnicodeDecodeError, IndexError, ValueError):
            return {}


def from_json(packages: Path) -> Iterator[tuple[str, str]]:
    """MediaWiki: `i18n/**/<code>.json`."""
    for path in sorted(packages.rglob("i18n/**/*.json")):
        for value in json.loads(path.read_text(encoding="utf-8")).values():
            if isinstance(value, str) and len(value) < 500:
                yield primary(path.stem), value


def from_addons(packages: Path) -> Iterator[tuple[str, str]]:
    """Firefox and Thunderbird: `langpack-<code>@….xpi` with Fluent and properties files."""
    for path in sorted(packages.rglob("langpack-*.xpi")):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".ftl", ".properties")):
                    text = archive.read(name).decode("utf-8", "replace")
                    for value in re.findall(r"^\s*[\w.-]+\s*=\s*(\S.*)$", text, re.MULTILINE):
                        yield primary(path.stem.removeprefix("langpack-")), value


def handbook(packages: Path) -> Iterator[tuple[str, str]]:
    for path in sorted(packages.glob("debian-handbook/usr/share/doc/debian-handbook/html/*/*.html")):
        for paragraph in re.findall(r'<div class="para">(.*?)</div>', path.read_text(encoding="utf-8"), re.DOTALL):
            yield primary(path.parent.name), re.sub(r"<[^>]*>", "", paragraph)
