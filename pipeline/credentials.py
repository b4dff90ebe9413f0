"""Credentials from the environment, in Airflow's own form: AIRFLOW_CONN_<ID> holds a URI or JSON.

Inside Airflow the DAGs hand the connection over; outside it the same variable is read here, so one set of secrets
serves both.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from pipeline.errors import ConfigError


@dataclass(frozen=True)
class Credentials:
    """The parts of a connection. `repr` shows no secret."""

    login: str | None = None
    password: str | None = field(default=None, repr=False)
    host: str | None = None
    port: int | None = None
    extra: Mapping[str, Any] = field(default_factory=dict, repr=False)


def from_environment(connection: str, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The connection's parts. ConfigError, without its content, where it is missing or cannot be read."""
    return parse(connection, environment.get(variable_of(connection)))


def variable_of(connection: str) -> str:
    return f"AIRFLOW_CONN_{connection.upper().replace('-', '_')}"


def parse(connection: str, value: str | None) -> Credentials:
    name = variable_of(connection)
    if not value:
        raise ConfigError(
            f"the connection {connection!r} is not set; in Airflow: airflow connections add; outside: export {name}=…"
        )
    try:
        return from_json(value) if value.lstrip().startswith("{") else from_uri(value)
    except (ValueError, TypeError, AttributeError):
        raise ConfigError(
            f"{name} is neither a connection URI nor JSON; see Airflow's page on managing connections"
        ) from None


def from_json(value: str) -> Credentials:
    found = json.loads(value)
    extra = found.get("extra") or {}
    return Credentials(
        login=found.get("login"),
        password=found.get("password"),
        host=found.get("host"),
        port=int(found["port"]) if found.get("port") else None,
        extra=json.loads(extra) if isinstance(extra, str) else extra,
    )


def from_uri(value: str) -> Credentials:
    parts = urlsplit(value)
    if not parts.scheme:
        raise ValueError("no scheme")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    extra = json.loads(query["__extra__"]) if "__extra__" in query else query
    return Credentials(
        login=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
        host=unquote(parts.hostname) if parts.hostname else None,
        port=parts.port,
        extra=extra,
    )
