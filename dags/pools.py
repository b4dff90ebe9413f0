"""Create the pools that the DAGs name: `python dags/pools.py`, once and after adding a source with a connection.

The scheduler never starts a task whose pool is missing, and says so nowhere but in its log.
"""

from klang_common import pools

from pipeline.settings import Settings, load_settings


def create_pools(settings: Settings) -> None:
    from airflow.models.pool import Pool

    for name, (slots, description) in pools(settings).items():
        Pool.create_or_update_pool(name, slots, description, include_deferred=False)


if __name__ == "__main__":
    create_pools(load_settings())
