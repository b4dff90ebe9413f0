"""A private Airflow under var/airflow: its configuration, its metadata database, and a lock for one run at a time.

Nothing of value lives there; it can be deleted at any time. Whatever Airflow the caller's environment points at is left
alone. Import no Airflow here: it reads its configuration when it is first imported.
"""

import base64
import fcntl
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path

from pipeline.errors import PermanentError
from pipeline.settings import DEFAULT_CONFIG

REPOSITORY = Path(__file__).resolve().parent.parent
HOME = REPOSITORY / "var" / "airflow"
LOGS = HOME / "logs"
DATABASE = HOME / f"airflow-{version('apache-airflow')}.db"


def enter() -> None:
    """Point this process and its children at the private home. Call it before the first import of airflow."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith(("AIRFLOW__", "_AIRFLOW_"))] + ["AIRFLOW_CONFIG"]:
        os.environ.pop(name, None)
    os.environ["AIRFLOW_HOME"] = str(HOME)
    os.environ["KLANG_CONFIG"] = str(Path(os.environ.get("KLANG_CONFIG") or REPOSITORY / DEFAULT_CONFIG).absolute())
    write_configuration(HOME / "airflow.cfg")


def write_configuration(path: Path) -> None:
    """Write airflow.cfg, whole or not at all; the keys of an earlier one are kept."""
    before = ConfigParser(interpolation=None)
    before.read(path, encoding="utf-8")

    def key(section: str, option: str) -> str:
        return before.get(section, option, fallback=base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())

    config = ConfigParser(interpolation=None)
    config.read_dict({
        "core": {
            "dags_folder": escaped(REPOSITORY / "dags"),
            "load_examples": "False",
            "dags_are_paused_at_creation": "False",
            "executor": "LocalExecutor",
            "parallelism": "2",
            "simple_auth_manager_all_admins": "True",
            "fernet_key": key("core", "fernet_key"),
        },
        "database": {"sql_alchemy_conn": sqlite_url(DATABASE), "load_default_connections": "False"},
        "logging": {"base_log_folder": escaped(LOGS)},
        "api": {"host": "127.0.0.1", "secret_key": key("api", "secret_key"), "workers": "1"},
        "api_auth": {"jwt_secret": key("api_auth", "jwt_secret")},
    })  # fmt: skip
    draft = path.with_suffix(".draft")
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as file:
        config.write(file)
    draft.replace(path)


def escaped(path: Path) -> str:
    return str(path).replace("%", "%%")


def sqlite_url(path: Path) -> str:
    return f"sqlite:///{escaped(path)}"


def make_metadata() -> bool:
    """Make the metadata database under another name, then rename it: it is complete or not there. False: it was there.

    PermanentError where Airflow cannot make it.
    """
    if DATABASE.exists():
        return False
    draft = DATABASE.with_suffix(".draft")
    draft.unlink(missing_ok=True)
    Path(f"{draft}-journal").unlink(missing_ok=True)
    log = LOGS / "metadata.log"
    with log.open("w", encoding="utf-8") as output:
        migrated = subprocess.run(  # noqa: S603
            [sys.executable, "-m", "airflow", "db", "migrate"],
            env=os.environ | {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{draft}"},
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if migrated.returncode:
        raise PermanentError(f"Airflow cannot make its metadata database in {HOME}; {log} says why")
    draft.replace(DATABASE)
    return True


@contextmanager
def alone(waits: str) -> Iterator[None]:
    """Hold the lock of the private home; print `waits` where another process has it. It ends with the process."""
    with (HOME / "lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print(waits, file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
