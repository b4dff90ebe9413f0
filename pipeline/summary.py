"""The tables that people read in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from rich.console import Console
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table

from pipeline.alerts.evidence import Summary, message_of
from pipeline.settings import Settings
from pipeline.status import Overview, SourceStatus, overview
from pipeline.warehouse.engine import open_warehouse, reading

LANGUAGES = {"da": "Danish", "sv": "Swedish", "nb": "Bokmål", "nn": "Nynorsk", "en": "English"}
COLUMNS = ("negative", "neutral", "positive", "total")
BAR = 12  # characters of a full bar


def show(settings: Settings, console: Console | None = None) -> None:
    """Print what the warehouse holds: feedback by source and language, topics, alerts, and where to look next."""
    console = console or Console()
    with reading(open_warehouse(settings.warehouse_url)) as connection:
        found = overview(connection)
    console.print(feedback_table(found), topic_table(found), sep="\n")
    for source, external_id, reason in found.quarantined:
        console.print(f"[yellow]In quarantine:[/] {escape(f'{source} {external_id}: {reason}')}")
    for alert in found.alerts:
        console.print(alert_panel(alert))
    if not found.alerts:
        console.print("[green]No alert is open.[/]")
    console.print(next_steps(settings))


def feedback_table(found: Overview) -> Table:
    table = Table(title="Feedback", title_justify="left", title_style="bold")
    for name in ("source", "channel", "language"):
        table.add_column(name, no_wrap=True)
    for name, style in (("negative", "red"), ("neutral", "dim"), ("positive", "green"), ("total", "bold")):
        table.add_column(name, justify="right", style=style)
    for source, rows in groupby(found.sources, key=lambda row: row.source):
        counted: Counter[tuple[str, str]] = Counter()
        for row in rows:
            language = LANGUAGES.get(row.language, "other")
            counted.update({(language, name): getattr(row, name) for name in COLUMNS})
        names = (source, row.channel)
        for language in dict.fromkeys(language for language, _ in counted):
            table.add_row(*names, language, *(str(counted[language, name]) for name in COLUMNS))
            names = ("", "")
        table.add_section()
    sums = (sum(getattr(row, name) for row in found.sources) for name in COLUMNS)
    table.add_row("all", "", "", *map(str, sums), style="bold")
    return table


def topic_table(found: Overview) -> Table:
    table = Table(title="Topics", title_justify="left", title_style="bold")
    table.add_column("topic")
    table.add_column("mentions", justify="right")
    table.add_column("negative", justify="right", style="red")
    table.add_column("")
    for row in found.topics:
        red = round(BAR * row.negative / row.mentions)
        table.add_row(
            row.topic, str(row.mentions), str(row.negative), f"[red]{'█' * red}[/][green]{'█' * (BAR - red)}[/]"
        )
    return table


def alert_panel(alert: Summary) -> Panel:
    message = message_of(alert, "opened")
    return Panel(
        escape(message.body),
        title=f"[bold red]Alert[/] {escape(message.title)}",
        title_align="left",
        border_style="red",
    )


def next_steps(settings: Settings) -> str:
    url = settings.warehouse_url
    if url.startswith("sqlite:///"):
        path = url.removeprefix("sqlite:///")
        look = f'sqlite3 "{path}" "SELECT day, negatives, feedback FROM sentiment_daily ORDER BY day DESC LIMIT 5"'
    else:
        look = "psql, and: SELECT * FROM sentiment_daily ORDER BY day DESC LIMIT 5"
    return (
        f"\n[bold]Next[/]\n  Query it        {escape(look)}\n  Airflow's pages make airflow\n"
        "  Your own data   add a source to klang.toml; klang sources shows the kinds\n"
        "  Your own file   klang predict reviews.csv --output scored.csv"
    )


def status_table(statuses: Sequence[SourceStatus]) -> Table:
    table = Table(title="Sources", title_justify="left", title_style="bold")
    for name in ("source", "last run", "status", "newest"):
        table.add_column(name)
    for name in ("feedback", "unscored", "uncleaned", "quarantine"):
        table.add_column(name, justify="right")
    for one in statuses:
        status = {"success": "[green]success[/]", "failed": "[red]failed[/]"}.get(
            one.last_status or "", one.last_status or "never ran"
        )
        when, newest = (f"{time:%Y-%m-%d %H:%M}" if time else "" for time in (one.last_run, one.newest))
        numbers = map(str, (one.feedback, one.unscored, one.waiting, one.quarantined))
        table.add_row(one.source, when, status, newest, *numbers)
        if one.last_error:
            table.add_row("", "", f"[red]{escape(one.last_error)}[/]")
    return table
