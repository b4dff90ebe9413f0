"""Give sentiment and topics to the feedback that waits for the model, then bring the views up to date.

Starts whenever an ingest DAG has updated the feedback. Each mapped task scores one large range of feedback ids, for
loading the model costs as much as scoring hundreds of texts. Where nothing waits, the mapped task is skipped and the
run goes on.
"""

from dataclasses import asdict

from airflow.sdk import dag, task
from klang_common import DAG_DEFAULTS, FEEDBACK, MODEL_POOL, SCORED, SCORING_QUEUE, open_flow


@dag(schedule=[FEEDBACK], description="feedback → scored", tags=["klang", "score"], doc_md=__doc__, **DAG_DEFAULTS)
def klang_score() -> None:
    @task
    def waiting() -> list[list[int]]:
        return [[first, last] for first, last in open_flow().score_ranges()]

    @task(pool=MODEL_POOL, **SCORING_QUEUE)
    def score(first_and_last: list[int]) -> dict[str, int]:
        first, last = first_and_last
        return asdict(open_flow().score([(first, last)]))

    @task(outlets=[SCORED], trigger_rule="none_failed")
    def refresh() -> list[str]:
        from pipeline.warehouse.views import refresh_views

        return refresh_views(open_flow().engine)

    score.expand(first_and_last=waiting()) >> refresh()


klang_score()
