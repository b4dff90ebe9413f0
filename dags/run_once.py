"""Run the real DAGs once, in this process and without a scheduler: what `make run` does after the set-up.

Everything it does can be cut off at any moment and started again. Airflow's log goes to var/airflow/logs/run.log.
"""

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pluggy
import private_home
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.errors import KlangError, PermanentError
from pipeline.settings import Settings, load_settings

LOG = private_home.LOGS / "run.log"
hookimpl = pluggy.HookimplMarker("airflow")


def main() -> int:
    """Returns 0, 1 where a DAG failed, or 2 for a wrong configuration."""
    try:
        private_home.enter(private_home.RUN_DATABASE)
        settings = load_settings()
        settings.secret()  # a secret that is missing is said at once, not by every task
        with private_home.alone(private_home.RUN_DATABASE, wait=True), output_to(LOG) as terminal:
            return run_all(settings, terminal)
    except KlangError as error:
        print(f"klang: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        print(f"klang: unexpected {type(error).__name__}: {first_line(error)}; {LOG} has more", file=sys.stderr)
        return 1


@contextmanager
def output_to(log: Path) -> Iterator[Console]:
    """Send all that is printed, by libraries too, to `log`; the block gets a console on the terminal."""
    saved = os.dup(1), os.dup(2)
    terminal = os.fdopen(os.dup(1), "w", encoding=sys.stdout.encoding, errors="replace")
    with log.open("w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    try:
        yield Console(file=terminal, width=None if terminal.isatty() else 110)
    except Exception:
        import traceback

        traceback.print_exc()
        raise
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for kept, stream in zip(saved, (1, 2), strict=True):
            os.dup2(kept, stream)
            os.close(kept)


def run_all(settings: Settings, terminal: Console) -> int:
    from pipeline.flow import Flow
    from pipeline.summary import show

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=terminal, transient=True) as progress:
        stop_on_interrupt(terminal)
        lines = TaskLines(progress)
        lines.begin("Airflow and the warehouse, made ready")
        private_home.make_metadata(private_home.RUN_DATABASE)
        Flow.of(settings).prepare()
        dags = load_dags(settings)
        listen(lines)
        lines.end("[green]✓[/]", str(private_home.HOME.relative_to(private_home.REPOSITORY)))
        ingested = [run_dag(dags[f"klang_ingest__{source.name}"], lines) for source in settings.sources]
        scored = run_dag(dags["klang_score"], lines) and run_dag(dags["klang_alert"], lines)
    if all(ingested) and scored:
        show(settings, terminal)
        return 0
    terminal.print(f"[red]A DAG failed.[/] Airflow's log: {escape(str(LOG))}", highlight=False)
    return 1


def stop_on_interrupt(terminal: Console) -> None:
    """Let Ctrl-C end the process on the spot: a task must not take it for a failure of its own."""

    def stop(*_: Any) -> None:
        terminal.show_cursor(True)
        terminal.file.write("\nklang: interrupted; run it again, it goes on where it stopped\n")
        terminal.file.flush()
        os._exit(130)

    signal.signal(signal.SIGINT, stop)


def load_dags(settings: Settings) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag
    from pools import create_pools

    create_pools(settings)
    bag = DagBag(private_home.REPOSITORY / "dags")
    for file, error in bag.import_errors.items():
        raise PermanentError(f"{file} does not load: {error.strip().splitlines()[-1]}")
    return dict(bag.dags)


def listen(lines: "TaskLines") -> None:
    from airflow.sdk.listener import get_listener_manager

    get_listener_manager().add_listener(lines)


def run_dag(dag: Any, lines: "TaskLines") -> bool:
    """Run one DAG to its end; whether it succeeded. Nobody waits here for a retry: the next `make run` is one."""
    lines.begin(dag.dag_id)
    for task in dag.tasks:
        task.retries = 0
    return bool(dag.test().state == "success")


class TaskLines:
    """Listens to Airflow: shows what is at work, and prints a line for each task that has ended."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress
        self.line = progress.add_task("")

    def begin(self, what: str) -> None:
        self.what = what
        self.progress.reset(self.line, description=escape(what))

    def end(self, mark: str, outcome: str) -> None:
        seconds = self.progress.tasks[0].elapsed or 0.0
        line = f"{mark} {seconds:6.1f} s  {escape(self.what):<40}  {escape(outcome)}"
        self.progress.console.print(line, highlight=False)

    @hookimpl
    def on_task_instance_running(self, task_instance: Any) -> None:
        self.begin(f"{task_instance.dag_id} · {task_instance.task_id}")

    @hookimpl
    def on_task_instance_success(self, task_instance: Any) -> None:
        found = task_instance.xcom_pull(task_ids=task_instance.task_id, map_indexes=task_instance.map_index)
        self.end("[green]✓[/]", told(found))

    @hookimpl
    def on_task_instance_failed(self, error: Any) -> None:
        self.end("[red]✗[/]", first_line(error))


def told(found: Any) -> str:
    """What a task returned, for people: its counts, if it counted."""
    if not isinstance(found, dict):
        return ""
    return ", ".join(f"{count} {name}" for name, count in found.items() if count) or "nothing new"


def first_line(error: Any) -> str:
    text = (str(error).strip().splitlines() or [""])[0][:300]
    return text if isinstance(error, KlangError) else f"{type(error).__name__}: {text}"


if __name__ == "__main__":
    sys.exit(main())
