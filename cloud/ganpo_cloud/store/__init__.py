"""Engines of both databases, tables, schema, settings: what everything stands on."""
