"""What a plant engineer writes, and the plant it comes to."""

from ganpo_config.load import Loaded, load

__all__ = ["Loaded", "load"]
