"""`ganpo-cloud import`: lists of the registry, previewed and applied as a whole or not at all."""
