"""The `klang` command. Every command ends with 0, with 1 where the work failed, or with 2 for a wrong configuration."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import wraps
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from pipeline.errors import KlangError
from pipeline.settings import Settings, load_settings

out = Console(width=None if sys.stdout.isatty() else 110)
err = Console(stderr=True)
CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 110}


def main() -> None:
    """Run the command; an error of ours is one line on stderr, and any other names the way to its traceback."""
    try:
        klang(standalone_mode=False)
    except click.exceptions.Exit as done:
        sys.exit(done.exit_code)
    except click.Abort:
        stop("interrupted; run it again, it goes on where it stopped", 130)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except KlangError as error:
        stop(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        if os.environ.get("KLANG_DEBUG"):
            raise
        stop(f"unexpected {type(error).__name__}; set KLANG_DEBUG=1 to see where, and report it", 1)


def stop(message: str, code: int) -> None:
    click.echo(f"klang: {' '.join(message.split())}", err=True)
    sys.exit(code)


@click.group(context_settings=CONTEXT, no_args_is_help=True)
@click.option(
    "--config", type=click.Path(path_type=Path), help="The klang.toml to use [default: $KLANG_CONFIG, ./klang.toml]."
)
@click.version_option(package_name="klang-feedback", prog_name="klang")
@click.pass_context
def klang(context: click.Context, config: Path | None) -> None:
    """What Nordic customers are saying: from reviews, mail and tickets to a warehouse and alerts.

    \b
    Example:
      klang run                      read every source, score, alert
      klang status                   what came in, and when
      klang predict reviews.csv      score a file of your own
    """
    context.obj = config


def with_settings(command: Callable[..., None]) -> Callable[..., None]:
    @click.pass_context
    @wraps(command)
    def wrapped(context: click.Context, /, **arguments: Any) -> None:
        command(load_settings(context.obj), **arguments)

    return wrapped


def open_flow(settings: Settings) -> Any:
    """The flow, with the schema and the views up to date."""
    from pipeline.flow import Flow

    flow = Flow.of(settings)
    flow.prepare()
    return flow


@contextmanager
def progress(label: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """A progress bar on stderr; the block gets a function that takes how many more are done."""
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=err, transient=False) as bars:
        task = bars.add_task(label, total=total)
        yield lambda count: bars.advance(task, count)


@klang.command()
@with_settings
def run(settings: Settings) -> None:
    """Read every source, score what is new, judge alerts: the whole flow once, without Airflow.

    A source that fails does not stop the others; the exit code is then 1.

    \b
    Example:
      klang run
      KLANG_WAREHOUSE_URL=postgresql+psycopg://klang@localhost/klang klang run
    """
    from pipeline.summary import show

    flow = open_flow(settings)
    failed = ingest_all(flow, [source.name for source in settings.sources])
    score_all(flow)
    flow.alert()
    show(settings, out)
    report_failures(failed)


@klang.command()
@click.argument("names", nargs=-1, metavar="[NAME]...")
@with_settings
def ingest(settings: Settings, names: tuple[str, ...]) -> None:
    """Land and clean what is new at the sources NAME, or at all. Needs no model.

    \b
    Example:
      klang ingest
      klang ingest trustpilot-dk support-mail
    """
    wanted = [settings.source(name).name for name in names] or [source.name for source in settings.sources]
    report_failures(ingest_all(open_flow(settings), wanted))


def ingest_all(flow: Any, names: list[str]) -> list[int]:
    """Ingest the sources one by one; returns the exit codes of those that failed, with the reasons printed."""
    failed = []
    for name in names:
        try:
            with progress(name) as advance:
                counts = flow.ingest(name, advance)
            details = ", ".join(f"{count} {what}" for what, count in asdict(counts).items() if count and what != "read")
            err.print(f"  {name}: {counts.read} read, {details or 'nothing new'}", highlight=False)
        except KlangError as error:
            click.echo(f"klang: {name}: {error}", err=True)
            failed.append(error.exit_code)
    return failed


def report_failures(failed: list[int]) -> None:
    if failed:
        sys.exit(max(failed))


@klang.command()
@with_settings
def score(settings: Settings) -> None:
    """Score the feedback that waits for the model.

    \b
    Example:
      klang score
    """
    score_all(open_flow(settings))


def score_all(flow: Any) -> None:
    ranges = flow.score_ranges()
    with progress("scoring", flow.count_unscored()) as advance:
        flow.score(ranges, advance)


@klang.command()
@with_settings
def alert(settings: Settings) -> None:
    """Judge the last days, store the alerts, send what people should know.

    \b
    Example:
      klang alert
      KLANG_NOW=2026-11-19T06:00:00Z klang alert     as it was on that morning
    """
    counts = open_flow(settings).alert()
    out.print(f"{counts.new} new alerts; see: klang status")


@klang.command()
@click.argument("source", metavar="INPUT", type=click.Path(path_type=Path, allow_dash=True))
@click.option(
    "--output",
    type=click.Path(path_type=Path, allow_dash=True),
    help="Where to write [default: INPUT with .scored before its ending; - for -].",
)
@click.option("--text-column", default="text", show_default=True, help="The column that holds the text.")
@click.option("--model", help="A model folder or Hugging Face id [default: the one in klang.toml].")
@click.option("--skip-bad", is_flag=True, help="Pass over rows that cannot be read, and count them.")
@click.option("--explain", is_flag=True, help="Add a column with the sentences that drove each result.")
@click.pass_context
def predict(
    context: click.Context,
    source: Path,
    output: Path | None,
    text_column: str,
    model: str | None,
    skip_bad: bool,
    explain: bool,
) -> None:
    """Score a CSV, JSONL or Parquet file: language, sentiment and topics of each row, other columns untouched.

    \b
    Example:
      klang predict reviews.csv --text-column body --output scored.csv
      cat reviews.jsonl | klang predict - > scored.jsonl
    """
    from pipeline.predict import predict_file

    chosen = predict_settings(context.obj, model)
    with progress("rows") as advance:
        summary = predict_file(
            source,
            output or default_output(source),
            text_column=text_column,
            skip_bad=skip_bad,
            explain=explain,
            report=advance,
            **chosen,
        )
    err.print(f"  {summary}", highlight=False)


def predict_settings(config: Path | None, model: str | None) -> dict[str, Any]:
    """The model and the detector to use; a file can be scored without any klang.toml when the model is named."""
    if model:
        return {"model_name": str(Path(model).absolute()) if Path(model).is_dir() else model}
    settings = load_settings(config)
    return {"model_name": settings.model_name, "labels": settings.model_labels, "detector": settings.detector}


def default_output(source: Path) -> Path:
    return source if str(source) == "-" else source.with_suffix(f".scored{source.suffix}")


@klang.command()
@click.argument("counts", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="Where to write [default: COUNTS with .backtest before its ending].",
)
@click.option(
    "--budget",
    type=click.FloatRange(min=0, min_open=True),
    default=2.0,
    show_default=True,
    help="False alarms a month, over all series together.",
)
def backtest(counts: Path, output: Path | None, budget: float) -> None:
    """Which days of COUNTS (columns series, date, negatives, total) would have alarmed.

    Adds the columns expected, p_value and alarm; each date is judged with only the dates before it.

    \b
    Example:
      klang backtest counts.csv --output judged.csv
    """
    from pipeline.alerts.backtest import backtest_csv

    output = output or counts.with_suffix(f".backtest{counts.suffix}")
    found = backtest_csv(counts, output, budget=budget)
    out.print(
        f"{found.series} series, {found.first_date} to {found.last_date}: "
        f"{found.alarm_days} alarm days in {found.alarmed_series} series; written to {output}",
        highlight=False,
    )


@klang.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_settings
def sources(settings: Settings, as_json: bool) -> None:
    """The sources that are configured, and the kinds there are.

    \b
    Example:
      klang sources
    """
    from rich.table import Table

    from pipeline.sources.catalogue import KINDS

    if as_json:
        click.echo(json.dumps([{"name": s.name, "kind": s.kind, "schedule": s.schedule} for s in settings.sources]))
        return
    configured = Table(
        "name", "kind", "schedule", "reads", title=f"Configured in {settings.path}", title_justify="left"
    )
    for source in settings.sources:
        reads = source.base_url or source.options.get("path", "")
        configured.add_row(source.name, source.kind, source.schedule or "by hand", str(reads))
    kinds = Table("kind", "reads", "keys (required first)", "connection", title="Kinds", title_justify="left")
    for name, kind in sorted(KINDS.items()):
        keys = ", ".join([*kind.required, *(key for key in kind.options if key not in kind.required)])
        kinds.add_row(name, kind.summary, keys, kind.needs_connection or "none")
    out.print(configured, kinds, sep="\n")


@klang.command()
@click.option("--json", "as_json", is_flag=True, help="For programs.")
@with_settings
def status(settings: Settings, as_json: bool) -> None:
    """Each source's last run, counts, cursor and quarantine, and the open alerts.

    \b
    Example:
      klang status
      klang status --json | jq '.sources[] | select(.last_status == "failed")'
    """
    from pipeline.status import source_statuses
    from pipeline.summary import alert_panel, status_table
    from pipeline.warehouse.alerts import summaries
    from pipeline.warehouse.engine import open_warehouse, reading

    with reading(open_warehouse(settings.warehouse_url)) as connection:
        statuses, alerts = source_statuses(connection, settings), summaries(connection, only_open=True)
    if as_json:
        content = {"sources": list(map(asdict, statuses)), "alerts": list(map(asdict, alerts))}
        click.echo(json.dumps(content, default=str, ensure_ascii=False))
        return
    out.print(status_table(statuses))
    for one in alerts:
        out.print(alert_panel(one))


@klang.command()
@with_settings
def migrate(settings: Settings) -> None:
    """Bring the warehouse's schema and views up to date.

    \b
    Example:
      klang migrate
    """
    from pipeline.warehouse.engine import open_warehouse
    from pipeline.warehouse.migrate import migrate as upgrade
    from pipeline.warehouse.views import refresh_views

    engine = open_warehouse(settings.warehouse_url)
    applied, views = upgrade(engine), refresh_views(engine)
    out.print(
        f"migrations: {', '.join(applied) or 'none needed'}; views: {', '.join(views) or 'none changed'}",
        highlight=False,
    )


@klang.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path, file_okay=False))
@with_settings
def export(settings: Settings, folder: Path) -> None:
    """Write every view to DIR as Parquet.

    \b
    Example:
      klang export exports/
    """
    from pipeline.export import export_views

    export_views(
        open_flow(settings).engine,
        folder,
        lambda name, rows: out.print(f"{folder / name}.parquet: {rows} rows", highlight=False),
    )
