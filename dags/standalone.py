"""Airflow with its web pages and a real scheduler, on this machine alone: what `make airflow` starts.

The parts are those of `airflow standalone`, started here because that command opens its log servers (ports 8793 and
8794) to the network, and starts tasks before the server that they report to. All listen on 127.0.0.1, so there is no
login. Ctrl-C or SIGTERM stops them.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.request import urlopen

import private_home
import psutil
from rich.console import Console
from rich.markup import escape

from pipeline.errors import KlangError, PermanentError
from pipeline.settings import Settings, load_settings

DATABASE = private_home.SCHEDULER_DATABASE
LOG = private_home.LOGS / "standalone.log"
FIRST_PORT = 8080
# Without log servers: the pages read the log files.
SERVER = ("api-server",)
WORKERS = (("dag-processor",), ("scheduler", "--skip-serve-logs"), ("triggerer", "--skip-serve-logs"))
STARTS_WITHIN_S = 600
STOPS_WITHIN_S = 20

Processes = dict[str, subprocess.Popen[bytes]]


def main() -> int:
    for name in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.default_int_handler)
    try:
        private_home.enter(DATABASE)
        settings = load_settings()
        settings.secret()
        with private_home.alone(DATABASE, wait=False):
            serve(settings, Console(width=None if sys.stdout.isatty() else 110))
    except KeyboardInterrupt:
        return 0
    except KlangError as error:
        print(f"klang: {error}", file=sys.stderr)
        return error.exit_code
    return 0


def serve(settings: Settings, terminal: Console) -> None:
    """Start everything, say where it is, and stay until it is stopped or a part of it ends."""
    with running() as processes:
        with terminal.status("Airflow starts, in a minute or so"):
            prepare(settings)
            url = choose_port()
            start(SERVER, processes)
            wait_for(lambda: is_healthy(url, "metadatabase"), processes)
            for command in WORKERS:
                start(command, processes)
            wait_for(lambda: is_healthy(url, "scheduler") and dags_are_loaded(url, settings), processes)
        where = f"[bold]Airflow runs at {url}[/]\nCtrl-C stops it. Its log is {escape(str(LOG))}"
        terminal.print(where, highlight=False, soft_wrap=True)
        while True:
            check(processes)
            time.sleep(1)


def prepare(settings: Settings) -> None:
    from pipeline.flow import Flow

    Flow.of(settings).prepare()
    private_home.make_metadata(DATABASE)
    private_home.call([str(private_home.REPOSITORY / "dags" / "pools.py")])


def choose_port() -> str:
    """Find a free port, tell Airflow, and return the address of its pages."""
    port = next(port for port in range(FIRST_PORT, FIRST_PORT + 1000) if is_free(port))
    url = f"http://{private_home.HOST}:{port}"
    os.environ["AIRFLOW__API__PORT"] = str(port)
    os.environ["AIRFLOW__API__BASE_URL"] = url
    os.environ["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] = f"{url}/execution/"
    return url


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((private_home.HOST, port))
        except OSError:
            return False
    return True


@contextmanager
def running() -> Iterator[Processes]:
    """The components, by name; at the end of the block they and their children are gone."""
    processes: Processes = {}
    LOG.unlink(missing_ok=True)
    try:
        yield processes
    finally:
        stop(processes)


def start(command: tuple[str, ...], processes: Processes) -> None:
    # A session of its own: Ctrl-C reaches this process alone, which then stops the others in order.
    with LOG.open("ab") as log:
        processes[command[0]] = subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "airflow", *command],
            cwd=private_home.HOME, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip


def stop(processes: Processes) -> None:
    """End all, the server last, for tasks that end report to it; one that is cut off is run again by the next start."""
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(name, signal.SIG_IGN)
    end([process for name, process in processes.items() if name not in SERVER])
    end([process for name, process in processes.items() if name in SERVER])


def end(processes: list[subprocess.Popen[bytes]]) -> None:
    """Ask processes to end, and kill what is left of them and their children after a while."""
    members = [member for process in processes for member in family(process.pid)]
    for process in processes:
        process.terminate()
    _, left = psutil.wait_procs(members, timeout=STOPS_WITHIN_S)
    for member in left:
        member.kill()
    for process in processes:
        process.wait()


def family(pid: int) -> list[Any]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def wait_for(condition: Callable[[], bool], processes: Processes) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while not condition():
        check(processes)
        if time.monotonic() > deadline:
            raise PermanentError(f"Airflow did not start within {STARTS_WITHIN_S} s; {LOG} says why")
        time.sleep(0.5)


def is_healthy(url: str, part: str) -> bool:
    return bool(answer(url, "monitor/health").get(part, {}).get("status") == "healthy")


def dags_are_loaded(url: str, settings: Settings) -> bool:
    wanted = len(settings.sources) + 2
    return int(answer(url, "dags").get("total_entries", 0)) >= wanted or bool(
        answer(url, "importErrors").get("total_entries")
    )


def answer(url: str, path: str) -> dict[str, Any]:
    """What Airflow's API answers; nothing while it cannot."""
    try:
        with urlopen(f"{url}/api/v2/{path}", timeout=10) as found:  # noqa: S310
            return dict(json.load(found))
    except (OSError, ValueError):
        return {}


def check(processes: Processes) -> None:
    for name, process in processes.items():
        if process.poll() is not None:
            raise PermanentError(f"Airflow's {name} ended with {process.returncode}; {LOG} says why")


if __name__ == "__main__":
    sys.exit(main())
