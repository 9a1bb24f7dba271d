"""Configurations on a page are loaded by the programs that read them.

A block marked `toml` begins with the name of the file it is: `# /etc/ganpo/agent.toml` or `# /etc/ganpo/cloud.toml`.
"""

import re
from pathlib import Path

import pytest

import ganpo_config
from ganpo_cloud.store import settings

ROOT = Path(__file__).parents[2]
PAGES = [
    page
    for page in (*sorted(ROOT.glob("*.md")), *sorted(ROOT.glob("docs/*.md")), ROOT / "systemd" / "README.md")
    if page.name not in ("configuration.md", "drivers.md")  # they show parts, and have tests of their own
]
SECRETS = ("mqtt_password", "broker-ca.pem", "influx_token", "db_password")
BLOCKS = [
    pytest.param(block, id=f"{page.relative_to(ROOT)}-{number}")
    for page in PAGES
    for number, block in enumerate(
        re.findall(r"^```toml\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL)
    )
]


@pytest.mark.parametrize("block", BLOCKS)
def test_a_configuration_on_a_page_is_accepted(tmp_path: Path, block: str) -> None:
    for name in SECRETS:
        (tmp_path / name).write_text("not a secret")
    found = re.match(r"# /etc/ganpo/(agent|cloud)\.toml\n", block)
    assert found is not None, "whose configuration is this?"
    file = tmp_path / f"{found[1]}.toml"
    file.write_text(block)
    environ = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    load = ganpo_config.load if found[1] == "agent" else settings.load
    loaded = load(file, environ)
    assert loaded.errors == ()


def test_the_pages_show_both_configurations() -> None:
    text = "".join(page.read_text() for page in PAGES)
    assert "# /etc/ganpo/agent.toml" in text
    assert "# /etc/ganpo/cloud.toml" in text
