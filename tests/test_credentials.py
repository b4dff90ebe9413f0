"""Connections in Airflow's own form, a URI or JSON; an error never shows what they hold."""

from __future__ import annotations

import pytest

from pipeline.credentials import Credentials, from_environment
from pipeline.errors import ConfigError

# (value of AIRFLOW_CONN_MAIL_DK, what is read)
CONNECTIONS = {
    "URI": (
        "imap://kim%40shop.example:p%2Fw@mail.example:993/?tls=ssl",
        Credentials("kim@shop.example", "p/w", "mail.example", 993, {"tls": "ssl"}),
    ),
    "URI with only a password": ("http://:token@", Credentials(password="token")),
    "URI with extra as JSON": ("http://?__extra__=%7B%22a%22%3A+1%7D", Credentials(extra={"a": 1})),
    "JSON": (
        '{"login": "kim", "password": "pw", "host": "h", "port": "993", "extra": {"tls": "ssl"}}',
        Credentials("kim", "pw", "h", 993, {"tls": "ssl"}),
    ),
    "JSON with extra as text": (
        ' {"password": "pw", "extra": "{\\"a\\": 1}"}',
        Credentials(password="pw", extra={"a": 1}),
    ),
    "JSON without extra": ('{"password": "pw", "extra": ""}', Credentials(password="pw")),
}


@pytest.mark.parametrize(("value", "expected"), CONNECTIONS.values(), ids=CONNECTIONS)
def test_a_connection_is_read_as_airflow_writes_it(value: str, expected: Credentials) -> None:
    assert from_environment("mail-dk", {"AIRFLOW_CONN_MAIL_DK": value}) == expected


@pytest.mark.parametrize(
    "value",
    [
        "hunter2",
        "imap://kim:hunter2@host:port/",
        '{"password": "hunter2"',
        '{"port": "hunter2"}',
        '{"extra": "hunter2"}',
    ],
)
def test_what_cannot_be_read_is_named_without_its_content(value: str) -> None:
    with pytest.raises(ConfigError, match="AIRFLOW_CONN_MAIL") as caught:
        from_environment("mail", {"AIRFLOW_CONN_MAIL": value})
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("environment", [{}, {"AIRFLOW_CONN_MAIL": ""}])
def test_a_missing_connection_says_how_to_set_it(environment: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"'mail' is not set.*airflow connections add.*export AIRFLOW_CONN_MAIL"):
        from_environment("mail", environment)


def test_printing_credentials_shows_no_secret() -> None:
    assert "hunter2" not in repr(Credentials("kim", "hunter2", extra={"key": "hunter2"}))
