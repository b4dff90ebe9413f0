"""A private Airflow under var/airflow: its configuration, its metadata databases, and a lock on each.

Nothing of value lives there; it can be deleted at any time. Whatever Airflow the caller's environment points at is left
alone. No Airflow is imported here: it reads its configuration when it is first imported.
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
HOST = "127.0.0.1"
# Two databases, for a scheduler takes over every run that it finds in its own.
SCHEDULER_DATABASE = HOME / f"airflow-{version('apache-airflow')}.db"
RUN_DATABASE = HOME / f"run-{version('apache-airflow')}.db"


def enter(database: Path) -> None:
    """Point this process and its children at the private home. Call it before the first import of airflow."""
    LOGS.mkdir(parents=True, exist_ok=True)
    for name in [name for name in os.environ if name.startswith(("AIRFLOW__", "_AIRFLOW_"))]:
        del os.environ[name]
    os.environ["AIRFLOW_HOME"] = str(HOME)
    os.environ["AIRFLOW_CONFIG"] = str(HOME / "airflow.cfg")
    os.environ["AIRFLOW__DATABASE__SQL_ALCHEMY_CONN"] = f"sqlite:///{database}"
    os.environ["KLANG_CONFIG"] = str(Path(os.environ.get("KLANG_CONFIG") or REPOSITORY / DEFAULT_CONFIG).absolute())
    write_configuration(HOME / "airflow.cfg")


def write_configuration(path: Path) -> None:
    """Write airflow.cfg, whole or not at all; the keys of an earlier one are kept."""
    before = ConfigParser(interpolation=None)
    before.read(path, encoding="utf-8")

    def key(section: str, option: str, size: int) -> str:
        new = base64.urlsafe_b64encode(secrets.token_bytes(size)).decode()
        return before.get(section, option, fallback=new)

    config = ConfigParser(interpolation=None)
    config.read_dict({
        "core": {
            "dags_folder": as_value(REPOSITORY / "dags"),
            "load_examples": "False",
            "dags_are_paused_at_creation": "False",
            "executor": "LocalExecutor",
            "parallelism": "2",
            "simple_auth_manager_all_admins": "True",
            "fernet_key": key("core", "fernet_key", 32),
        },
        "database": {"sql_alchemy_conn": as_value(f"sqlite:///{SCHEDULER_DATABASE}")},
        "logging": {"base_log_folder": as_value(LOGS)},
        "api": {"host": HOST, "secret_key": key("api", "secret_key", 64), "workers": "1"},
        "api_auth": {"jwt_secret": key("api_auth", "jwt_secret", 64)},
    })  # fmt: skip
    draft = path.with_suffix(f".{os.getpid()}")
    draft.touch(mode=0o600)
    with draft.open("w", encoding="utf-8") as file:
        config.write(file)
    draft.replace(path)


def as_value(value: Path | str) -> str:
    return str(value).replace("%", "%%")


def make_metadata(database: Path) -> None:
    """Make a metadata database under another name, then rename it: it is complete or not there.

    PermanentError where Airflow cannot make it.
    """
    if database.exists():
        return
    for leftover in HOME.glob(f"{database.name}.draft-*"):
        leftover.unlink(missing_ok=True)
    draft = database.with_name(f"{database.name}.draft-{os.getpid()}")
    call(["-m", "airflow", "db", "migrate"], {"AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": f"sqlite:///{draft}"})
    draft.replace(database)


def call(arguments: list[str], environment: dict[str, str] | None = None) -> None:
    """Run Python with `arguments` in the private home; PermanentError, naming its log, where it fails."""
    log = LOGS / "setup.log"
    with log.open("w", encoding="utf-8") as output:
        done = subprocess.run(  # noqa: S603
            [sys.executable, *arguments], cwd=HOME, env=os.environ | (environment or {}),
            stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False,
        )  # fmt: skip
    if done.returncode:
        raise PermanentError(f"Airflow's set-up failed ({' '.join(arguments)}); {log} says why")


@contextmanager
def alone(database: Path, wait: bool) -> Iterator[None]:
    """Be the one process that uses `database`: wait for another one to end, or else raise PermanentError."""
    with database.with_suffix(".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not wait:
                raise PermanentError(f"it already runs here, from {REPOSITORY}") from None
            print("klang: another run is at work here; waiting for it", file=sys.stderr, flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
