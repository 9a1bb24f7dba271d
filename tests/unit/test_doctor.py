"""What the doctor says of a certificate that the running session has seen."""

from pathlib import Path

from ganpo_agent.device import doctor
from support.configs import BUS, plant
from support.gateway_answers import answers


async def test_beside_a_session_nobody_is_asked_about_its_certificate(tmp_path: Path) -> None:
    found = plant(tmp_path, BUS, {"GANPO_UPLINK__BROKER": "mqtts://127.0.0.1:1"})
    status = answers()["status"]
    for days, level in ((302, "ok"), (12, "look"), (3, "alarm"), (0, "alarm")):
        status["uplink"]["certificate_days"] = days
        told = {check.check: check for check in await doctor.examine(found, status)}["certificate"]
        assert (told.level, told.what) == (level, f"that of the broker is valid for {days} days")
    for unknown in (None, -1):
        status["uplink"]["certificate_days"] = unknown
        told = {check.check: check for check in await doctor.examine(found, status)}["certificate"]
        assert (told.level, told.what) == ("unknown", "that of the broker cannot be seen")
