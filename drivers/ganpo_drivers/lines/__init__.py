"""Lines of bytes to devices, serial and TCP: for drivers of protocols that bring their own frames."""

from ganpo_drivers.lines.line import ByteLine, Flooded, Trace, Until, joined, new_trace
from ganpo_drivers.lines.serial_line import SerialLine
from ganpo_drivers.lines.settings import SerialSettings, device_of, endpoint_of
from ganpo_drivers.lines.tcp_line import TcpLine

__all__ = [
    "ByteLine",
    "Flooded",
    "SerialLine",
    "SerialSettings",
    "TcpLine",
    "Trace",
    "Until",
    "device_of",
    "endpoint_of",
    "joined",
    "new_trace",
]
