"""The body of what the socket takes."""

from typing import TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

from ganpo_model.errors import ConfigError


class Body(BaseModel):
    """JSON, nothing beside what is named."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_BodyT = TypeVar("_BodyT", bound=Body)


def question(kind: type[_BodyT], body: bytes) -> _BodyT:
    """Raises ConfigError where a body is no such question."""
    try:
        return kind.model_validate_json(body or b"{}")
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(map(str, first["loc"]))
        raise ConfigError(f"{first['msg']}", where=f"body, {key}" if key else "body") from error
