"""What Alembic runs: inside the transaction of `ganpo_cloud.store.schema`, on its connection."""

from alembic import context

from ganpo_cloud.store.columns import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
