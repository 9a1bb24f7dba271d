"""A byte line and the frames on it: Modbus over TCP, TLS, a serial port, a converter."""

import ssl

from ganpo_drivers.lines import SerialLine, TcpLine, device_of
from ganpo_drivers.modbus.mbap import MbapWire
from ganpo_drivers.modbus.rtu import RtuWire
from ganpo_drivers.modbus.settings import ModbusSettings
from ganpo_drivers.modbus.wire import Habits, Wire


def wire_to(settings: ModbusSettings, habits: Habits) -> Wire:
    """A session that is not open yet."""
    scheme, timeout_s = settings.scheme, settings.patience_s
    if scheme == "rtu":
        port = SerialLine(settings.url, device_of(settings.url), settings)
        return RtuWire(port, timeout_s, habits, settings.character_s)
    line = TcpLine(settings.url, *settings.endpoint, timeout_s, _verified(settings))
    if scheme == "rtu+tcp":
        return RtuWire(line, timeout_s, habits, settings.character_s)
    return MbapWire(line, timeout_s, habits)


def _verified(settings: ModbusSettings) -> ssl.SSLContext | None:
    """What verifies certificate and host name of the other side: always, with TLS."""
    if settings.scheme != "tls":
        return None
    return ssl.create_default_context(cadata=None if settings.ca is None else settings.ca.get_secret_value())
