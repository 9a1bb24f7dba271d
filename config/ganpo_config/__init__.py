"""What a plant engineer writes, and the plant it comes to."""

from ganpo_config.document import json_schema
from ganpo_config.load import Loaded, load
from ganpo_config.profile import profile_schema

__all__ = ["Loaded", "json_schema", "load", "profile_schema"]
