"""The local API of the running agent."""

API = "/api/v1/"
"""Where its resources lie."""
