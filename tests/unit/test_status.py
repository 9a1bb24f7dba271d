"""The gateway's pages: what they answer, and with what status."""

import httpx

from ganpo_agent.local import status

POINTS = {"SB-1/power": {"value": 4.2}, "SB-2/power": {"value": None}}


async def test_health_points_and_metrics_are_answered() -> None:
    picture = {"ok": True}
    app = status.pages(
        lambda: picture,
        lambda subject: {
            name: told for name, told in POINTS.items() if subject is None or name.startswith(f"{subject}/")
        },
        lambda: "ganpo_up 1\n",
    )
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gateway") as http:
        assert (await http.get("/health")).status_code == 200
        picture["ok"] = False
        assert (await http.get("/health")).status_code == 503
        assert (await http.get("/points")).json() == POINTS
        assert (await http.get("/points", params={"subject": "SB-2"})).json() == {
            "SB-2/power": {"value": None}
        }
        assert (await http.get("/metrics")).text == "ganpo_up 1\n"
