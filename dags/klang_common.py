"""What the DAGs share: assets, pools, defaults, and the way into the library. Parsed often, so nothing heavy here."""

import os
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset, Connection, RetryDecision, RetryPolicy
from airflow.sdk.exceptions import AirflowNotFoundException

from pipeline.credentials import Credentials
from pipeline.errors import ConfigError, PermanentError, TransientError
from pipeline.settings import Settings, SourceSettings, load_settings

if TYPE_CHECKING:
    from pipeline.flow import Flow

FEEDBACK = Asset(name="klang_feedback", uri="klang://feedback", group="klang")
SCORED = Asset(name="klang_scored", uri="klang://scored", group="klang")

INGEST_POOL = "klang_ingest"
MODEL_POOL = "klang_model"
# With Celery workers: the queue of those that hold the model. Unset, the tasks go where all others go.
SCORING_QUEUE = {"queue": os.environ["KLANG_SCORING_QUEUE"]} if os.environ.get("KLANG_SCORING_QUEUE") else {}


class KlangRetries(RetryPolicy):
    """A permanent error fails at once; a transient one waits as long as the other side asked for."""

    def evaluate(self, exception: BaseException, try_number: int, max_tries: int, context: Any = None) -> RetryDecision:
        if isinstance(exception, PermanentError):
            return RetryDecision.fail(str(exception))
        if isinstance(exception, TransientError) and exception.wait:
            return RetryDecision.retry(timedelta(seconds=exception.wait), str(exception))
        return RetryDecision.default()


DAG_DEFAULTS: Mapping[str, Any] = {
    "start_date": datetime(2026, 1, 1, tzinfo=UTC),
    "catchup": False,
    "max_active_runs": 1,
    "default_args": {
        "owner": "klang",
        "retries": 3,
        "retry_delay": timedelta(minutes=2),
        "retry_exponential_backoff": 2.0,
        "max_retry_delay": timedelta(hours=1),
        "retry_policy": KlangRetries(),
    },
}


def pool_of(source: SourceSettings) -> str:
    """Sources that share a connection share its rate limit, and so a pool."""
    return f"klang_{source.connection}" if source.connection else INGEST_POOL


def pools(settings: Settings) -> dict[str, tuple[int, str]]:
    """Slots and description of every pool that the DAGs name."""
    connections = {pool_of(source): source.connection for source in settings.sources if source.connection}
    return {
        INGEST_POOL: (4, "Klang: sources without a connection"),
        MODEL_POOL: (1, "Klang: tasks that load the model; one takes about 1.5 GB of memory"),
    } | {pool: (1, f"Klang: sources behind the connection {connection}") for pool, connection in connections.items()}


def credentials_of(connection: str) -> Credentials:
    """An Airflow connection as the value that the library takes. ConfigError where there is none of that id."""
    try:
        found = Connection.get(connection)
    except AirflowNotFoundException:
        raise ConfigError(
            f"Airflow has no connection {connection!r}; add it: airflow connections add {connection}"
        ) from None
    return Credentials(found.login, found.password, found.host, found.port, found.extra_dejson)


def open_flow() -> "Flow":
    """The stages over the configured warehouse. Called in tasks alone: it imports the library."""
    from pipeline.flow import Flow

    return Flow.of(load_settings(), credentials_of)
