"""What an agent serves: the page and all that is read at `gateway.http`; on its socket what is asked of devices too."""

from starlette.applications import Starlette

from ganpo_agent.local import routes
from ganpo_agent.local.asked import asked
from ganpo_agent.local.examined import Examined
from ganpo_agent.page import pages, refused
from ganpo_agent.page.guard import guarded
from ganpo_service.http import Server


def servers(agent: pages.Shown) -> tuple[Server, Server]:
    """That of `gateway.http`, then that of the socket."""
    examined, gateway = Examined(), agent.plant.gateway
    read = routes.routes(agent, examined)
    page = Starlette(
        routes=[*read, *pages.routes(agent, examined)], exception_handlers=refused.handlers(agent)
    )
    own = Starlette(
        routes=[*read, *asked(agent)], exception_handlers=dict.fromkeys(routes.REFUSED, routes.refused)
    )
    return (
        Server(guarded(page, gateway), certificate=gateway.http_certificate),
        Server(routes.OnlyFor(own, gateway.id)),
    )
