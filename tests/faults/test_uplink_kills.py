"""Agent and broker killed in random order: every promised frame arrives, unaltered (I4)."""

import random
import time
from pathlib import Path

from support.appending import Appender
from support.broker import Mosquitto
from support.collecting import PlayedCollector


def test_frames_survive_kills_of_agent_and_broker(tmp_path: Path) -> None:
    rng = random.Random(20261125)
    with Mosquitto(tmp_path) as broker:
        collector = PlayedCollector(broker.port)
        appender = Appender(tmp_path / "state", broker.url)
        for victim in rng.sample(["agent", "broker"] * 4, 8):
            time.sleep(rng.uniform(0.3, 1.5))
            if victim == "agent":
                appender.kill()
                appender.start()
            else:
                broker.kill()
                time.sleep(rng.uniform(0, 0.5))
                broker.start()
        time.sleep(2)
        appender.finish()
        collector.wait_for(lambda: set(appender.promised) <= set(collector.frames), 30)
        assert len(appender.promised) > 20
        collector.stop()
