"""Addresses and settings of the driver `opcua`: no socket."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from ganpo_drivers.opcua.address import NAMESPACE_0, OpcUaAddress, Step
from ganpo_drivers.opcua.settings import OpcUaSettings

MACHINERY = "http://opcfoundation.org/UA/Machinery/"
PREFIXES = {"m": MACHINERY, "v": "urn:vendor:a;b>c"}
BASE: dict[str, Any] = {
    "driver": "opcua",
    "url": "opc.tcp://plc:4840",
    "security": "None",
    "allow_insecure": True,
}


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ("nsu=urn:vendor:cnc;s=Channel1.Parts.Total", "nsu=urn:vendor:cnc;s=Channel1.Parts.Total"),
        ('nsu=urn:v;s="DB 1"."a;b=c"/d%41', 'nsu=urn:v;s="DB 1"."a;b=c"/d%41'),
        ("nsu=urn:a%3Bb%25;i=007", "nsu=urn:a%3Bb%25;i=7"),
        ("i=2258", "i=2258"),
        (f"nsu={NAMESPACE_0};i=2258", "i=2258"),
        ("  i=2258 ", "i=2258"),
        (
            "nsu=urn:v;g=09087E75-8E5E-499B-954F-F2A9603DB28A",
            "nsu=urn:v;g=09087e75-8e5e-499b-954f-f2a9603db28a",
        ),
        ("nsu=urn:v;b=AQIDBA==", "nsu=urn:v;b=AQIDBA=="),
        ("/0:Server/0:ServerStatus", "/0:Server/0:ServerStatus"),
        ("/m:Machines/*:VMC 850:1/m:a%2Fb", f"/<{MACHINERY}>:Machines/*:VMC 850:1/<{MACHINERY}>:a%2Fb"),
        ("/v:X", "/<urn:vendor:a;b%3Ec>:X"),
    ],
)
def test_an_address_prints_a_form_that_needs_no_prefixes_and_means_the_same(text: str, printed: str) -> None:
    address = OpcUaAddress.parse(text, namespaces=PREFIXES)
    assert str(address) == printed
    assert OpcUaAddress.parse(printed) == address
    assert (address.key, address.type, address.order) == ("", "", "")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "no node id"),
        ("Channel1", "no node id"),
        ("ns=2;s=X", "indexes change"),
        ("nsu=urn:v", "followed by a semicolon"),
        ("nsu=;s=X", "followed by a semicolon"),
        ("nsu=urn:v;s=", "no node id"),
        ("nsu=urn:v;x=1", "no node id"),
        ("i=4294967296", "0 to 4294967295"),
        ("i=-1", "0 to 4294967295"),
        ("i=²", "0 to 4294967295"),
        ("g=1234", "not a GUID"),
        ("b=###", "not base64"),
        ("/Machines", "has no namespace"),
        ("/", "has no namespace"),
        ("/m:Machines/", "has no namespace"),
        ("/m:Machines//m:X", "has no namespace"),
        ("/x:Machines", "unknown prefix 'x' (the profile's [namespaces]: m, v; *: is any)"),
        ("/2:Machines", "indexes change"),
        ("/*:", "no browse name"),
        ("/<urn:v:Machines", "no step"),
        ("nsu=urn:v;s=a\x00b", "control characters"),
    ],
)
def test_a_wrong_address_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(ValueError) as caught:
        OpcUaAddress.parse(text, namespaces=PREFIXES)
    assert reason in str(caught.value)


@pytest.mark.parametrize("column", ["type", "order"])
def test_type_and_order_are_not_for_opc_ua(column: str) -> None:
    with pytest.raises(ValueError, match=f"leave {column} empty"):
        OpcUaAddress.parse("i=2258", **{column: "uint16"})
    assert OpcUaAddress.parse("i=2258", **{column: "", "addressing": "1-based"}).identifier == "i=2258"


TEXT = (
    st.text(st.characters(exclude_categories=["Cc", "Cs", "Zs", "Zl", "Zp"]), max_size=8)
    .map(str.strip)
    .filter(bool)
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(st.builds(Step, st.one_of(st.none(), TEXT), TEXT), min_size=1, max_size=4))
def test_any_browse_path_survives_printing_and_parsing(steps: list[Step]) -> None:
    address = OpcUaAddress(path=tuple(steps))
    assert OpcUaAddress.parse(str(address)) == address


@settings(max_examples=200, deadline=None, derandomize=True)
@given(TEXT, TEXT)
def test_any_node_id_survives_printing_and_parsing(uri: str, name: str) -> None:
    address = OpcUaAddress(uri=uri, identifier=f"s={name}")
    assert OpcUaAddress.parse(str(address)) == address


def test_a_url_without_port_gets_the_one_of_opc_ua() -> None:
    assert OpcUaSettings(**BASE | {"url": "opc.tcp://plc/ua"}).url == "opc.tcp://plc:4840/ua"
    assert OpcUaSettings(**BASE | {"url": "opc.tcp://[fe80::1]:48010"}).url == "opc.tcp://[fe80::1]:48010"


@pytest.mark.parametrize(
    ("key", "value", "reason"),
    [
        ("url", "http://plc:4840", "not an OPC UA address"),
        ("url", "opc.tcp://plc..works", "not an OPC UA address"),
        ("url", "opc.tcp://", "not an OPC UA address"),
        ("url", "opc.tcp://plc:99999", "ort"),
        ("url", "opc.tcp://me:geheim@plc:4840", "no user or password belongs here"),
        ("security", "Basic256Sha256", 'a policy without its mode ("Basic256Sha256,SignAndEncrypt"'),
        ("security", "Basic257,Sign", "'Basic256Sha256,Sign'"),
        ("allow_insecure", False, "needs allow_insecure = true"),
        ("password", "geheim", "without username"),
        ("username", "", "at least 1 character"),
        ("timeout_s", 0, "greater than 0"),
        ("subscribe", True, "not permitted"),
    ],
)
def test_a_wrong_setting_is_refused_at_its_key(key: str, value: object, reason: str) -> None:
    with pytest.raises(ValidationError) as caught:
        OpcUaSettings(**BASE | {key: value})
    (error,) = caught.value.errors()
    assert error["loc"] == (key,)
    assert reason in error["msg"]
