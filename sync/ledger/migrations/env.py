"""Runs the ledger's migrations on the connection that `sync.ledger` opened."""

from alembic import context

from sync.ledger.tables import metadata

context.configure(
    connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
