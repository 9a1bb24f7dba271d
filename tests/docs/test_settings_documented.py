"""docs/configuration.md, in both languages, has every setting with its default and its meaning; the JSON Schema is the
present one."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from ganpo_cloud.province import assessment, schemes
from ganpo_cloud.store import settings as cloud
from ganpo_config import document, json_schema, load, profile, profile_schema, settings
from ganpo_drivers.cjt188.settings import Cjt188Settings
from ganpo_drivers.dlt645.settings import Dlt645Settings
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.opcua.settings import OpcUaSettings
from ganpo_service import words
from support.configs import BUS, CELL, HEAD

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "configuration.md").read_text(encoding="utf-8")
PAGES = {"en": PAGE, "zh": (DOCS / "zh" / "configuration.md").read_text(encoding="utf-8")}
CHINESE = {"A profile": "模板的键", "required": "必填"}
NOT_WRITTEN = {"ca", "password", "http_password", "token", "user_certificate"}
"""Set from their `_file` keys."""

SECTIONS: list[tuple[str, type[BaseModel]]] = [
    ("[gateway]", settings.GatewaySettings),
    ("[uplink]", settings.UplinkSettings),
    ("[site]", document.SiteTable),
    ("[lists]", document.ListsTable),
    ("[site.shifts]", document.ShiftTable),
    ("[[site.exceptions]]", document.ExceptionTable),
    ('driver = "modbus"', ModbusSettings),
    ('driver = "dlt645"', Dlt645Settings),
    ('driver = "cjt188"', Cjt188Settings),
    ('driver = "opcua"', OpcUaSettings),
    ("[[equipment]]", document.EquipmentRow),
    ("[[meters]]", document.MeterRow),
    ("[[points]]", document.PointRow),
    ("A profile", profile.Profile),
    ("factory", profile.Factory),
    ("[parameters]", profile.Parameter),
    ("[signals.SIGNAL]", profile.ProfileSignal),
    ("parts", profile.ProfilePart),
    ("[[states]]", profile.StateRule),
    ("[broker]", cloud.BrokerSettings),
    ("[database]", cloud.DatabaseSettings),
    ("[http]", cloud.HttpSettings),
    ("[province]", cloud.ProvinceSettings),
    ("[projection]", cloud.ProjectionSettings),
]


def lines(model: type[BaseModel], lang: str) -> list[str]:
    """The table of a model as it has to stand on the page of a language: what commands say of a setting, too."""
    found = []
    for name, about in model.model_fields.items():
        key = about.alias or name
        if (name in NOT_WRITTEN and f"{name}_file" in model.model_fields) or name.endswith("_path"):
            continue
        if name in NOT_WRITTEN:
            key = f"{name}_file"
        assert about.description, f"{model.__name__}.{name} has no description"
        told = default(about)
        if lang == "zh":
            told = CHINESE.get(told, told)
        found.append(f"| `{key}` | {told} | {words.tell(about.description, lang)} |")
    return found


def default(about: FieldInfo) -> str:
    """The default as TOML; `-` where there is none to write down."""
    if about.is_required():
        return "required"
    value: Any = about.get_default(call_default_factory=True)
    assert value is not PydanticUndefined
    if value in (None, "") or value == () or value == [] or value == {}:
        return "-"
    return (
        f"`{json.dumps(value, ensure_ascii=False)}`" if isinstance(value, str | int | float) else f"`{value}`"
    )


def section(heading: str, lang: str) -> list[str]:
    """The rows of the table below a heading."""
    if lang == "zh":
        heading = CHINESE.get(heading, heading)
    found = re.search(rf"^#+ `?{re.escape(heading)}`?$(.*?)(?=^#|\Z)", PAGES[lang], re.MULTILINE | re.DOTALL)
    assert found is not None, f"no heading {heading}"
    return [line for line in found[1].splitlines() if line.startswith("| `")]


@pytest.mark.parametrize(("heading", "model"), SECTIONS, ids=[heading for heading, _ in SECTIONS])
def test_every_setting_stands_on_the_page_with_its_default_and_none_that_does_not_exist(
    heading: str, model: type[BaseModel]
) -> None:
    for lang in PAGES:
        assert section(heading, lang) == lines(model, lang)


def test_every_key_of_the_two_files_has_its_section() -> None:
    headings = "\n".join(re.findall(r"^#+ .*$", PAGE, re.MULTILINE))
    for model in (document.Document, cloud.CloudSettings):
        for key in model.model_fields:
            assert key == "format" or re.search(rf"\[{key}[\].]", headings), key


def test_the_json_schema_is_the_present_one() -> None:
    stored = json.loads((DOCS / "agent.schema.json").read_text(encoding="utf-8"))
    assert stored == json_schema(), "write it anew: see docs/configuration.md"


def test_the_json_schema_of_profiles_is_the_present_one_and_takes_all_of_ours() -> None:
    import tomllib
    from importlib.resources import files

    import jsonschema

    stored = json.loads((DOCS / "profile.schema.json").read_text(encoding="utf-8"))
    assert stored == profile_schema(), "write it anew: see docs/configuration.md"
    judge = jsonschema.Draft202012Validator(stored)
    for file in files("ganpo_config").joinpath("profiles").iterdir():
        document = tomllib.loads(file.read_text(encoding="utf-8"))
        assert list(judge.iter_errors(document)) == [], file.name
        assert list(judge.iter_errors(document | {"titel": "x"})), file.name
    assert list(judge.iter_errors({"format": 1, "id": "x", "title": {"zh": "x", "en": "x"}}))


def test_the_json_schema_of_schemes_is_the_present_one_and_refuses_what_is_refused() -> None:
    import tomllib
    from decimal import Decimal
    from importlib.resources import files

    import jsonschema

    stored = json.loads((DOCS / "assessment.schema.json").read_text(encoding="utf-8"))
    assert stored == schemes.json_schema(assessment.measures()), "write it anew: see docs/metrics.md"
    judge = jsonschema.Draft202012Validator(stored)
    ours = files("ganpo_cloud").joinpath("province", schemes.FILE).read_text(encoding="utf-8")
    shown = re.findall(
        r"^```ini\n(.*?)^```", (DOCS / "metrics.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    for text in (ours, *shown):
        assert list(judge.iter_errors(tomllib.loads(text, parse_float=Decimal))) == []
    for wrong in (
        'max = "40"', "max = 0", "max = 101", "veto = 1", 'rule = "best"', 'measure = "x"', 'titel = "x"',
        'id = "A"', 'zh = ""', "full = true", 'zero = "0"',
    ):  # fmt: skip
        key = wrong.partition(" ")[0]
        text = re.sub(rf"^{key} .*$", "", shown[0], flags=re.MULTILINE) + wrong
        assert list(judge.iter_errors(tomllib.loads(text, parse_float=Decimal))), wrong
    for key in ("id", "zh", "en", "max", "measure", "rule", "full", "zero"):
        text = re.sub(rf"^{key} .*$", "", shown[0], flags=re.MULTILINE)
        assert list(judge.iter_errors(tomllib.loads(text, parse_float=Decimal))), f"linear without {key}"


def test_the_json_schema_takes_what_load_takes_and_refuses_what_it_refuses() -> None:
    import tomllib

    import jsonschema

    example = tomllib.loads((DOCS.parent / "config" / "examples" / "points.toml").read_text(encoding="utf-8"))
    for meter in example["meters"]:
        if "since" in meter:
            meter["since"] = str(meter["since"])  # JSON has no dates
    jsonschema.validate(example, json_schema())
    example["uplink"]["password"] = "x"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(example, json_schema())


PARTS = re.findall(r"^```toml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("part", PARTS, ids=range(len(PARTS)))
def test_a_part_on_the_page_is_accepted(tmp_path: Path, part: str) -> None:
    text = HEAD + BUS + CELL
    named = re.match(r"# profiles/(\w+)\.toml\n", part)
    if named is not None:
        (tmp_path / "profiles").mkdir()
        (tmp_path / "profiles" / f"{named[1]}.toml").write_text(part, encoding="utf-8")
    else:
        text += part
    file = tmp_path / "agent.toml"
    file.write_text(text, encoding="utf-8")
    loaded = load(file, {})
    assert loaded.errors == ()
    assert loaded.warnings == ()


def test_the_page_shows_parts() -> None:
    assert len(PARTS) >= 3
