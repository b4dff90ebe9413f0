"""Fetch what is new at one source, land it, and clean it into feedback.

One DAG for each `[[source]]` of klang.toml, on the schedule named there. A page of items and the cursor behind it land
in one transaction, so a task that is killed or retried goes on where it stopped: nothing is lost or doubled. Records
that do not fit go to `quarantine` and the run goes on.
"""

from dataclasses import asdict
from typing import Any

from airflow.sdk import DAG, task
from klang_common import DAG_DEFAULTS, FEEDBACK, open_flow, pool_of

from pipeline.settings import SourceSettings, load_settings


def ingest_dag(source: SourceSettings) -> DAG:
    dag = DAG(
        f"klang_ingest__{source.name}",
        schedule=source.schedule,
        description=f"{source.kind} → feedback",
        tags=["klang", "ingest", source.kind],
        doc_md=__doc__,
        **DAG_DEFAULTS,
    )

    @task(pool=pool_of(source), outlets=[FEEDBACK])
    def ingest(name: str, *, outlet_events: Any) -> dict[str, int]:
        counts = asdict(open_flow().ingest(name))
        outlet_events[FEEDBACK].extra = {"source": name, **counts}
        return counts

    with dag:
        ingest(source.name)
    return dag


for source in load_settings().sources:
    ingest_dag(source)
