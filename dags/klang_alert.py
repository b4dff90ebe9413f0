"""Judge the last days, store the alerts, and send what people should know.

Starts whenever new scores are in the warehouse. What an alert decides on is the time of the feedback, not of the run,
and a second run over the same feedback opens and sends nothing again.
"""

from dataclasses import asdict

from airflow.sdk import dag, task
from klang_common import DAG_DEFAULTS, SCORED, open_flow


@dag(schedule=[SCORED], description="scored → alerts", tags=["klang", "alert"], doc_md=__doc__, **DAG_DEFAULTS)
def klang_alert() -> None:
    @task
    def alert() -> dict[str, int]:
        return asdict(open_flow().alert())

    alert()


klang_alert()
