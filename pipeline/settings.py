"""One frozen `Settings` from klang.toml and the environment, built at the edge and passed down."""

from __future__ import annotations

import difflib
import hashlib
import math
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from pathlib import Path
from typing import Any, Literal, cast, get_args

from pipeline.clock import parse_time
from pipeline.errors import ConfigError
from pipeline.sources.catalogue import CHANNELS, KINDS, OPTION_TYPES, Kind

DEFAULT_CONFIG = "klang.toml"
NAME_HELP = "letters, digits, '-' and '_'"
# In the sample configuration only: author keys of made-up people need no secret.
DEMO_SECRET = "only-for-the-sample-feeds"  # noqa: S105
NEW_SECRET = "export KLANG_SECRET=$(openssl rand -hex 32)"  # noqa: S105
DEFAULT_SERIES: tuple[tuple[str, ...], ...] = (
    (),
    ("source",),
    ("country",),
    ("product",),
    ("topic",),
    ("country", "topic"),
)
SERIES_COLUMNS = ("source", "channel", "language", "country", "product", "topic")
MIN_SECRET = 16  # bytes
TYPES: Mapping[type, str] = {str: "a text in quotes", list: "a list of texts", dict: "a table of texts"}
SECTIONS = {
    "warehouse": {"url"},
    "model": {"name", "labels"},
    "language": {"detector"},
    "privacy": {"demo_secret", "mask"},
    "clock": {"now"},
    "alerts": {"false_alarms_per_month", "series", "horizon_days", "page_days", "notify"},
}


Detector = Literal["klang", "langdetect"]


@dataclass(frozen=True)
class SourceSettings:
    """One `[[source]]` block: what every source has, and the options of its kind."""

    name: str
    kind: str
    options: Mapping[str, Any]
    connection: str | None = None
    schedule: str | None = "@daily"
    start: datetime | None = None
    product: str | None = None
    country: str | None = None
    base_url: str | None = None
    folder: Path = Path()  # relative paths start here


@dataclass(frozen=True)
class Target:
    """Where notifications go: an Apprise URL, or the connection that holds one."""

    url: str | None = field(default=None, repr=False)
    connection: str | None = None

    @property
    def key(self) -> str:
        """Names the target in the outbox without telling its secret."""
        if self.connection:
            return self.connection
        return f"{str(self.url).partition(':')[0]}-{hashlib.sha256(str(self.url).encode()).hexdigest()[:12]}"


@dataclass(frozen=True)
class AlertSettings:
    false_alarms_per_month: float = 2.0
    series: tuple[tuple[str, ...], ...] = DEFAULT_SERIES
    horizon_days: int = 7  # feedback that arrives later than this opens no alert
    page_days: int = 3  # an alert about older days is stored but sent to nobody
    notify: tuple[Target, ...] = ()


@dataclass(frozen=True)
class Settings:
    path: Path
    warehouse_url: str = field(repr=False)
    model_name: str
    model_labels: Mapping[str, str] = field(default_factory=dict)
    detector: Detector = "klang"
    mask: tuple[str, ...] | None = None  # kinds of personal data to mask; None: all
    sources: tuple[SourceSettings, ...] = ()
    alerts: AlertSettings = AlertSettings()
    fixed_now: datetime | None = None
    given_secret: str | None = field(default=None, repr=False)
    demo_secret: bool = False

    @property
    def folder(self) -> Path:
        return self.path.parent

    def source(self, name: str) -> SourceSettings:
        for source in self.sources:
            if source.name == name:
                return source
        raise ConfigError(
            f"no source is named {name!r} in {self.path}; it has: {', '.join(s.name for s in self.sources) or 'none'}"
        )

    def secret(self) -> bytes:
        """The key of the author pseudonyms."""
        if self.given_secret:
            key = self.given_secret.encode()
            if len(key) < MIN_SECRET:
                raise ConfigError(f"KLANG_SECRET has {len(key)} bytes and needs {MIN_SECRET}: {NEW_SECRET}")
            return key
        if self.demo_secret and self.warehouse_url.startswith("sqlite") and not any(s.connection for s in self.sources):
            return DEMO_SECRET.encode()
        raise ConfigError(f"KLANG_SECRET is not set; it keys the pseudonyms of authors: {NEW_SECRET}, and keep it")


def load_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read klang.toml (`path`, else KLANG_CONFIG, else ./klang.toml) and the environment.

    Raises ConfigError, with what to mend, for a file that is missing, not TOML, or holds something unknown.
    """
    path = Path(path or environment.get("KLANG_CONFIG") or DEFAULT_CONFIG).absolute()
    content = read_toml(path)
    check_keys(content, set(SECTIONS) | {"source"}, str(path))
    for name, keys in SECTIONS.items():
        check_keys(section(content, name), keys, f"[{name}] in {path}")
    url = environment.get("KLANG_WAREHOUSE_URL") or section(content, "warehouse").get("url") or "sqlite:///var/klang.db"
    now = environment.get("KLANG_NOW") or section(content, "clock").get("now")
    return Settings(
        path=path,
        warehouse_url=absolute_sqlite(str(url), path.parent),
        model_name=absolute_model(str(section(content, "model").get("name", "models/klang-nordic")), path.parent),
        model_labels=checked(section(content, "model").get("labels", {}), dict, f"[model] labels in {path}"),
        detector=detector_of(section(content, "language").get("detector", "klang"), path),
        mask=mask_kinds(section(content, "privacy").get("mask"), path),
        sources=read_sources(content.get("source", []), path),
        alerts=read_alerts(section(content, "alerts"), path),
        fixed_now=as_time(now, "KLANG_NOW or [clock] now") if now else None,
        given_secret=environment.get("KLANG_SECRET") or None,
        demo_secret=bool(section(content, "privacy").get("demo_secret", False)),
    )


def read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigError(
            f"there is no {path}; write one (see README) or name another with --config or KLANG_CONFIG"
        ) from None
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} is not TOML: {error}") from None


def section(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = content.get(name, {})
    if not isinstance(value, Mapping):
        raise ConfigError(f"{name} must be a table: write [{name}]")
    return value


def check_keys(found: Mapping[str, Any], known: set[str], where: str) -> None:
    for key in found:
        if key not in known:
            near = difflib.get_close_matches(key, known, 1)
            hint = f"; did you mean {near[0]!r}?" if near else f"; known: {', '.join(sorted(known))}"
            raise ConfigError(f"unknown key {key!r} in {where}{hint}")


def checked(value: Any, wanted: type, what: str) -> Any:
    """`value`, if it is a text, or a list or table of texts, as `wanted`."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if not isinstance(value, wanted) or not all(isinstance(one, str) for one in inside):
        raise ConfigError(f"{what} must be {TYPES[wanted]}, not {value!r}")
    return value


def read_sources(blocks: Any, path: Path) -> tuple[SourceSettings, ...]:
    if not isinstance(blocks, list) or not all(isinstance(block, dict) for block in blocks):
        raise ConfigError(f"sources are written [[source]], with two brackets, in {path}")
    sources = tuple(read_source(block, path) for block in blocks)
    names = [source.name for source in sources]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"two sources are named {name!r} in {path}; a name must be unique")
    return sources


def read_source(block: Mapping[str, Any], path: Path) -> SourceSettings:
    name, kind_name = str(block.get("name", "")), str(block.get("kind", ""))
    if not name or not name.replace("-", "").replace("_", "").isalnum():
        raise ConfigError(f"every [[source]] in {path} needs a name of {NAME_HELP}; found {name!r}")
    if kind_name not in KINDS:
        near = difflib.get_close_matches(kind_name, KINDS, 1)
        hint = f"; did you mean {near[0]!r}?" if near else f"; kinds: {', '.join(sorted(KINDS))}"
        raise ConfigError(f"source {name!r} has the unknown kind {kind_name!r}{hint}")
    kind = KINDS[kind_name]
    check_options(block, name, kind, path)
    return SourceSettings(
        name=name,
        kind=kind_name,
        options={key: block[key] for key in kind.options if key in block},
        connection=block.get("connection"),
        schedule=block.get("schedule", "@daily") or None,
        start=as_time(block["start"], f"start of source {name!r}") if "start" in block else None,
        product=block.get("product"),
        country=block.get("country"),
        base_url=block.get("base_url", kind.base_url),
        folder=path.parent,
    )


def check_options(block: Mapping[str, Any], name: str, kind: Kind, path: Path) -> None:
    common = {"name", "kind", "connection", "schedule", "start", "product", "country", "base_url"}
    check_keys(block, common | set(kind.options), f"source {name!r} in {path}")
    for key in block.keys() - {"start"}:
        checked(block[key], OPTION_TYPES.get(key, str), f"{key} of source {name!r} in {path}")
    for key in kind.required:
        if key not in block:
            raise ConfigError(f"source {name!r} in {path} needs the key {key!r}: {kind.options[key]}")
    if kind.needs_connection and not block.get("connection"):
        raise ConfigError(f"source {name!r} in {path} needs a connection: {kind.needs_connection}")
    if block.get("channel", kind.channel) not in CHANNELS:
        raise ConfigError(
            f"source {name!r} in {path} has the channel {block['channel']!r}; it is one of: {', '.join(CHANNELS)}"
        )


def read_alerts(found: Mapping[str, Any], path: Path) -> AlertSettings:
    budget = found.get("false_alarms_per_month", 2)
    if not isinstance(budget, int | float) or isinstance(budget, bool) or not 0 < budget < math.inf:
        raise ConfigError(f"[alerts] false_alarms_per_month in {path} must be a number above 0, not {budget!r}")
    return AlertSettings(
        false_alarms_per_month=float(budget),
        series=read_series(found["series"], path) if "series" in found else DEFAULT_SERIES,
        horizon_days=days(found.get("horizon_days", 7), f"[alerts] horizon_days in {path}"),
        page_days=days(found.get("page_days", 3), f"[alerts] page_days in {path}"),
        notify=read_targets(found.get("notify", []), path),
    )


def days(found: Any, what: str) -> int:
    if not isinstance(found, int) or isinstance(found, bool) or found < 1:
        raise ConfigError(f"{what} must be a whole number of days above 0, not {found!r}")
    return found


def read_series(found: Any, path: Path) -> tuple[tuple[str, ...], ...]:
    if not isinstance(found, list) or not all(isinstance(names, list) for names in found):
        raise ConfigError(f'[alerts] series in {path} must be a list of lists, as [[], ["country"]], not {found!r}')
    for column in [column for names in found for column in names]:
        if column not in SERIES_COLUMNS:
            raise ConfigError(f"[alerts] series in {path} knows {', '.join(SERIES_COLUMNS)}, not {column!r}")
    return tuple(tuple(names) for names in found)


def read_targets(found: Any, path: Path) -> tuple[Target, ...]:
    where = f"[[alerts.notify]] in {path}"
    if not isinstance(found, list) or not all(isinstance(target, dict) for target in found):
        raise ConfigError(f"targets are written [[alerts.notify]], with two brackets, in {path}")
    for target in found:
        check_keys(target, {"url", "connection"}, where)
        if len(target) != 1:
            raise ConfigError(f"every {where} needs either a url or a connection")
        checked(target, dict, where)
    return tuple(Target(**target) for target in found)


def detector_of(found: Any, path: Path) -> Detector:
    if found not in get_args(Detector):
        raise ConfigError(f"[language] detector in {path} is one of {', '.join(get_args(Detector))}, not {found!r}")
    return cast(Detector, found)


def mask_kinds(found: Any, path: Path) -> tuple[str, ...] | None:
    from pipeline.clean.personal_data import ALL_KINDS

    if found is None:
        return None
    known = {str(kind) for kind in ALL_KINDS}
    for kind in checked(found, list, f"[privacy] mask in {path}"):
        if kind not in known:
            raise ConfigError(f"[privacy] mask in {path} knows {', '.join(sorted(known))}, not {kind!r}")
    return tuple(found)


def absolute_sqlite(url: str, folder: Path) -> str:
    """A relative SQLite path counts from the folder of klang.toml, wherever the command is run."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith("sqlite:////") or url == "sqlite:///:memory:":
        return url
    return f"{prefix}{folder / url.removeprefix(prefix)}"


def absolute_model(name: str, folder: Path) -> str:
    """A folder beside klang.toml, or else the name of a model on the hub as it stands."""
    return str(folder / name) if name.startswith((".", "/", "models/")) or (folder / name).is_dir() else name


def as_time(value: Any, what: str) -> datetime:
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    if isinstance(value, date):
        return datetime.combine(value, time(), UTC)
    try:
        return parse_time(str(value))
    except ValueError:
        raise ConfigError(f"{what} is not an ISO time: {value!r}; write 2026-11-21T06:00:00Z") from None
