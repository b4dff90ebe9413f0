"""Alembic's entry: migrations run on the connection, and in the transaction, that `migrate` hands over."""

from alembic import context

from pipeline.warehouse.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
