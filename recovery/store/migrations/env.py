"""Alembic's entry: runs the migrations on the connection that `Database.migrate` opened."""

from alembic import context

from recovery.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
context.run_migrations()
