"""klang.toml and the environment: what is read, and that each mistake gives one line that helps."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.settings import DEMO_SECRET, Settings, load_settings
from pipeline.sources.catalogue import KINDS

SettingsOf = Callable[..., Settings]
FILE = '[[source]]\nname = "shop"\nkind = "file"\npath = "*.csv"\nfields = { external_id = "id" }\n'
MAIL = '[[source]]\nname = "mail"\nkind = "mailbox"\npath = "in.mbox"\n'

# (klang.toml, words that the message must hold)
MISTAKES = {
    "not TOML": ("[warehouse", ("klang.toml", "not TOML")),
    "unknown section": ("[warehous]\nurl = 'x'", ("'warehous'", "did you mean 'warehouse'")),
    "unknown key": ("[alerts]\nfalse_alarm_per_month = 2", ("did you mean 'false_alarms_per_month'", "[alerts]")),
    "unknown key, nothing near": ("[model]\nzzz = 2", ("'zzz'", "known: labels, name")),
    "section is no table": ("model = 'dummy'", ("[model]",)),
    "single brackets": ("[source]\nname = 'a'", ("[[source]]",)),
    "source is no table": ("source = ['a']", ("[[source]]",)),
    "no name": ("[[source]]\nkind = 'file'", ("name",)),
    "name with a blank": ("[[source]]\nname = 'my shop'\nkind = 'file'", ("'my shop'",)),
    "no kind": ("[[source]]\nname = 'a'", ("'a'", "kind")),
    "unknown kind": ("[[source]]\nname = 'a'\nkind = 'mailbx'", ("did you mean 'mailbox'",)),
    "unknown kind, nothing near": ("[[source]]\nname = 'a'\nkind = 'zzz'", ("kinds: file",)),
    "missing key": ("[[source]]\nname = 'a'\nkind = 'mailbox'", ("'a'", "'path'", "mbox")),
    "unknown option": (FILE + "chanel = 'review'", ("'shop'", "did you mean 'channel'")),
    "option is no text": (MAIL.replace('"in.mbox"', "5"), ("'mail'", "path", "5")),
    "fields are no table": (FILE.replace('{ external_id = "id" }', '"id"'), ("'shop'", "fields")),
    "field is no text": (FILE.replace('"id"', "7"), ("'shop'", "fields")),
    "domains are no list": (MAIL + 'own_domains = "shop.example"', ("'mail'", "own_domains")),
    "product is no text": (FILE + "product = 5", ("'shop'", "product")),
    "duplicate name": (FILE + FILE, ("two sources", "'shop'")),
    "channel that is none": (FILE + "channel = 'fax'", ("'shop'", "'fax'", "review")),
    "start is no time": (FILE + "start = 'yesterday'", ("'shop'", "'yesterday'")),
    "now is no time": ("[clock]\nnow = 'noon'", ("'noon'",)),
    "budget of nothing": ("[alerts]\nfalse_alarms_per_month = 0", ("above 0",)),
    "budget is no number": ("[alerts]\nfalse_alarms_per_month = 'two'", ("'two'",)),
    "budget is no finite number": ("[alerts]\nfalse_alarms_per_month = nan", ("nan",)),
    "days are no number": ("[alerts]\nhorizon_days = 'week'", ("horizon_days", "'week'")),
    "no days": ("[alerts]\npage_days = -1", ("page_days", "-1")),
    "unknown series": ("[alerts]\nseries = [['brand']]", ("'brand'", "country")),
    "series are no lists": ("[alerts]\nseries = 5", ("series",)),
    "target with another key": ("[[alerts.notify]]\nurls = 'x'", ("did you mean 'url'",)),
    "target without an address": ("[[alerts.notify]]\n", ("url", "connection")),
    "target is no table": ("[alerts]\nnotify = ['slack://x']", ("[[alerts.notify]]",)),
    "unknown kind to mask": ("[privacy]\nmask = ['SHOE']", ("'SHOE'",)),
    "mask is no list": ("[privacy]\nmask = 5", ("mask",)),
    "labels are no table": ("[model]\nlabels = 'x'", ("labels",)),
}


@pytest.mark.parametrize(("content", "words"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_gives_one_line_that_helps(settings_of: SettingsOf, content: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ConfigError) as caught:
        settings_of(content, KLANG_NOW="")
    message = str(caught.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_a_missing_file_says_how_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"no .*absent\.toml.*KLANG_CONFIG"):
        load_settings(tmp_path / "absent.toml", {})


def test_a_folder_or_a_binary_file_is_no_configuration(tmp_path: Path) -> None:
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    for path in (tmp_path, tmp_path / "binary.toml"):
        with pytest.raises(ConfigError, match=str(path)):
            load_settings(path, {})


def test_an_empty_file_has_sensible_defaults(settings_of: SettingsOf, tmp_path: Path) -> None:
    settings = settings_of("")
    assert settings.warehouse_url == f"sqlite:///{tmp_path / 'var' / 'klang.db'}"
    assert settings.model_name == str(tmp_path / "models" / "klang-nordic")
    assert settings.sources == ()
    assert settings.mask is None
    assert settings.alerts.false_alarms_per_month == 2


def test_the_environment_stands_above_the_file(settings_of: SettingsOf) -> None:
    settings = settings_of(
        '[warehouse]\nurl = "sqlite:///a.db"\n[clock]\nnow = 2026-01-01T00:00:00Z',
        KLANG_WAREHOUSE_URL="postgresql+psycopg://db/klang",
        KLANG_NOW="2026-05-01T12:00:00+02:00",
        KLANG_SECRET="another-secret-of-tests",
    )
    assert settings.warehouse_url == "postgresql+psycopg://db/klang"
    assert settings.fixed_now == datetime(2026, 5, 1, 10, tzinfo=UTC)
    assert settings.secret() == b"another-secret-of-tests"


def test_klang_config_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "other.toml"
    path.write_text('[model]\nname = "dummy"')
    assert load_settings(None, {"KLANG_CONFIG": str(path)}).model_name == "dummy"


def test_klang_now_that_is_no_time_is_named(settings_of: SettingsOf) -> None:
    with pytest.raises(ConfigError, match=r"KLANG_NOW.*'later'"):
        settings_of("", KLANG_NOW="later")


# (model name in klang.toml, what a scorer gets, with {here} for the folder of klang.toml)
MODELS = (
    ("models/klang-nordic", "{here}/models/klang-nordic"),
    ("./mine", "{here}/./mine"),
    ("/opt/model", "/opt/model"),
    ("alexandrainst/da-sentiment-base", "alexandrainst/da-sentiment-base"),
    ("dummy", "dummy"),
)


@pytest.mark.parametrize(("name", "expected"), MODELS)
def test_a_model_is_a_folder_or_a_name_on_the_hub(
    settings_of: SettingsOf, tmp_path: Path, name: str, expected: str
) -> None:
    found = settings_of(f'[model]\nname = "{name}"').model_name
    assert Path(found) == Path(expected.format(here=tmp_path))


# (what klang.toml and the environment say, the secret; None: an error that names KLANG_SECRET)
SECRETS = {
    "set": ("", {"KLANG_SECRET": "0123456789abcdef"}, b"0123456789abcdef"),
    "not set": ("", {"KLANG_SECRET": ""}, None),
    "too short": ("", {"KLANG_SECRET": "short"}, None),
    "sample feeds": ("[privacy]\ndemo_secret = true\n" + FILE, {"KLANG_SECRET": ""}, DEMO_SECRET.encode()),
    "sample feeds on a server": (
        "[privacy]\ndemo_secret = true\n",
        {"KLANG_SECRET": "", "KLANG_WAREHOUSE_URL": "postgresql://db/klang"},
        None,
    ),
    "a live source": ("[privacy]\ndemo_secret = true\n" + MAIL + 'connection = "mail"', {"KLANG_SECRET": ""}, None),
}


@pytest.mark.parametrize(("content", "environment", "secret"), SECRETS.values(), ids=SECRETS)
def test_the_secret_is_demanded_for_all_but_made_up_people(
    settings_of: SettingsOf, content: str, environment: dict[str, str], secret: bytes | None
) -> None:
    settings = settings_of(content, **environment)
    if secret is None:
        with pytest.raises(ConfigError, match="KLANG_SECRET"):
            settings.secret()
    else:
        assert settings.secret() == secret


def test_settings_can_be_printed_without_a_secret(settings_of: SettingsOf) -> None:
    settings = settings_of(
        '[warehouse]\nurl = "postgresql://klang:hunter2@db/klang"\n[[alerts.notify]]\nurl = "slack://hunter3/x"',
        KLANG_SECRET="hunter4-hunter4-hunter4",
    )
    assert "hunter" not in repr(settings)
    assert "hunter" not in settings.alerts.notify[0].key


def test_a_source_has_what_its_block_says(settings_of: SettingsOf, tmp_path: Path) -> None:
    source = settings_of(FILE + 'schedule = ""\nstart = 2026-01-01\nproduct = "App"\ncountry = "SE"').source("shop")
    assert (source.kind, source.product, source.country, source.schedule) == ("file", "App", "SE", None)
    assert source.start == datetime(2026, 1, 1, tzinfo=UTC)
    assert source.folder == tmp_path
    assert source.options["path"] == "*.csv"


def test_a_source_that_is_not_there_lists_those_that_are(settings_of: SettingsOf) -> None:
    with pytest.raises(ConfigError, match=r"'sop'.*shop, mail"):
        settings_of(FILE + MAIL).source("sop")


def test_every_kind_tells_what_its_keys_mean() -> None:
    for kind in KINDS.values():
        assert kind.summary
        assert set(kind.required) <= set(kind.options)
        assert all(kind.options.values())


def test_the_configuration_of_the_repository_is_valid() -> None:
    settings = load_settings(Path(__file__).parents[1] / "klang.toml", {})
    assert {source.kind for source in settings.sources} == {"file", "mailbox", "survey"}
    assert settings.secret()
