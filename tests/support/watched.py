"""Servers that know nothing of tests, made to note what could change something where requests arrive: behind any
encryption. Called in their process, before they start."""

from typing import Any

from support import modbus_wire, opcua_wire, writes


def opcua() -> None:
    """Every server of asyncua."""
    from asyncua.server.uaprocessor import UaProcessor

    process = UaProcessor._process_message

    async def noted(processor: Any, type_id: Any, *request: Any) -> Any:
        if type_id.Identifier in opcua_wire.CHANGING:
            writes.note(f"OPC UA {opcua_wire.name(type_id.Identifier)}")
        return await process(processor, type_id, *request)

    UaProcessor._process_message = noted


def modbus() -> None:
    """Every TCP server of pymodbus that is not traced otherwise."""
    from pymodbus.server import ModbusTcpServer

    begin = ModbusTcpServer.__init__

    def traced(server: Any, *given: Any, **named: Any) -> None:
        begin(server, *given, **{"trace_pdu": modbus_pdu, **named})

    ModbusTcpServer.__init__ = traced  # type: ignore[assignment,method-assign]


def modbus_pdu(sending: bool, pdu: Any) -> Any:
    """Trace one of pymodbus."""
    if not sending and modbus_wire.changes(bytes((pdu.function_code,)) + pdu.encode()):
        writes.note(f"Modbus function {pdu.function_code} at unit {pdu.dev_id}")
    return pdu


def lines() -> None:
    """Every serial line of the demo."""
    from ganpo_demo.mixed import RtuLine
    from ganpo_demo.register_meters import FramedLine
    from support.meter_line import noted

    for kind, watch in ((RtuLine, _rtu), (FramedLine, noted)):
        _each(kind, watch)


def _each(kind: Any, watch: Any) -> None:
    begin = kind.__init__

    def begun(line: Any, *given: Any) -> None:
        begin(line, *given)
        line.answer = watch(line.answer)

    kind.__init__ = begun


def _rtu(answering: Any) -> Any:
    def answer(data: bytes) -> Any:
        for what in modbus_wire.forbidden_rtu(data):
            writes.note(f"Modbus RTU {what}")
        return answering(data)

    return answer
