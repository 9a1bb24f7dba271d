"""Answers of the local API as a gateway with ten machines and two broken things would give them; all invented."""

from datetime import datetime, timedelta
from typing import Any

from ganpo_model.clock import iso, to_ms

ZONE = "Asia/Shanghai"
NOW = datetime.fromisoformat("2026-11-23T09:42:16+08:00")
_STATES = {
    "CJ-04": ("FAULT", 37),
    "ZJ-02": ("HELD", 12),
    "LB-01": ("UNKNOWN", 26),
    "CJ-01": ("PRODUCING", 128),
    "CJ-02": ("PRODUCING", 41),
    "CJ-03": ("SETUP", 18),
    "ZJ-01": ("PRODUCING", 320),
    "LB-02": ("IDLE", 55),
    "TH-01": ("MAINTENANCE", 70),
    "KY-01": ("OFF", 482),
}
_CONNECTIONS = (
    ("plc-lb01", "modbus", "tcp://10.12.4.31:502", "down", "1", 0, 14, 1560.0, None),
    ("plc-th01", "modbus", "tcp://10.12.4.35:502", "up", "1", 31, 32, 0.8, 14.0),
    ("cnc-cj01", "opcua", "opc.tcp://10.12.4.11:4840", "up", "", 22, 22, 0.4, 6.0),
    ("cnc-cj02", "opcua", "opc.tcp://10.12.4.12:4840", "up", "", 22, 22, 0.2, 5.0),
    ("plc-zj", "opcua", "opc.tcp://10.12.4.21:4840", "up", "", 48, 48, 0.5, 7.0),
    ("rs485-1", "modbus", "rtu:///dev/ttyS1", "up", "1 2 3", 18, 18, 1.9, 86.0),
)
_POINTS = (
    ("CJ-01/execution", "执行状态", "Execution", "cnc-cj01", "ACTIVE", None, "good", 0.4, "ACTIVE"),
    ("CJ-01/spindle_load", "主轴负载", "Spindle load", "cnc-cj01", 64, "%", "good", 0.4, "64"),
    ("CJ-02/parts_total", "工件计数", "Parts", "cnc-cj02", 18406, "1", "good", 0.2, "18406"),
    ("ZJ-01/line_speed", "线速度", "Line speed", "plc-zj", 412.6, "m/min", "good", 0.5, "412.6"),
    ("LB-01/run", "运行信号", "Running", "plc-lb01", None, None, "stale", 1560.0, "1"),
    ("TH-01/temp_zone1", "一区温度", "Temperature, zone 1", "plc-th01", 748.3, "°C", "good", 0.8, "1D3B"),
    ("TH-01/temp_zone4", "四区温度", "Temperature, zone 4", "plc-th01", None, "°C", "fault", None, None),
    ("WM-01/water_volume", "累计水量", "Water", "rs485-1", 102.0, "m3", "open", 4.0, "000003FC"),
    ("EM-01/energy_import", "正向有功电量", "Energy", "rs485-1", 2614382.4, "kWh", "good", 1.9, "018EEC50"),
)


def ago(**named: float) -> str:
    """An instant so long before now, as answers tell it."""
    return iso(NOW - timedelta(**named))


def answers() -> dict[str, Any]:
    """All of them, new for who changes something."""
    return {
        "status": _status(),
        "connections": [_connection(*one) for one in _CONNECTIONS],
        "points": [_point(*one) for one in _POINTS],
        "machines": [_machine(number, *of) for number, of in _STATES.items()],
        "meters": _meters(),
        "doctor": _doctor(),
        "examined": to_ms(NOW),
    }


def _waited(hours_ago: int) -> int:
    return {9: 3, 10: 22, 11: 48, 12: 31, 13: 14}.get(hours_ago, hours_ago % 3)


def _status() -> dict[str, Any]:
    no_answer = "10.12.4.31:502: unit 1: no answer in 1 s"
    return {
        "gateway": "gw-nc-0417",
        "site": {"id": "hall-2", "name": "2号车间"},
        "version": "1.0.2",
        "released": "2026-11-20",
        "started": ago(days=12, hours=21),
        "now": iso(NOW),
        "time": {"trusted": True, "source": "timesync", "seen": iso(NOW), "off_ms": 12, "why": None},
        "ok": False,
        "connections": {"total": 6, "up": 5},
        "units_silent": 1,
        "machines": {"total": 10, "read": 9},
        "points": {"bound": 156, "good": 141, "at_fault": 3},
        "needs": [
            {
                "level": "alarm",
                "of": "connection",
                "who": "plc-lb01",
                "what": no_answer,
                "since": ago(minutes=26),
                "command": "ganpo ping plc-lb01",
            },
            {
                "level": "look",
                "of": "point",
                "who": "TH-01/temp_zone4",
                "what": "exception 2: no such address",
                "since": ago(hours=3),
                "command": "ganpo read plc-th01 1:holding:210 --raw",
            },
        ],
        "outbox": {
            "waiting": 2,
            "bytes": 11_264,
            "oldest": ago(minutes=1),
            "limit_bytes": 536_870_912,
            "used_bytes": 3_250_585,
            "lasts_days": 214.4,
            "issued": 18_429,
            "stream": "01KANE0000000000000000000A",
            "waited": [
                [iso(NOW.replace(minute=0, second=0) - timedelta(hours=n)), _waited(n)] for n in range(20)
            ],
            "dropped_frames": 0,
            "dropped_facts": 0,
            "damaged": [],
            "error": None,
        },
        "uplink": {
            "broker": "mqtts://ganpo.example:8883",
            "connected": True,
            "last_ack": ago(seconds=8),
            "error": None,
            "alone": [
                {
                    "stream": "01KANE0000000000000000000A",
                    "seq": 18_411,
                    "bytes": 61_440,
                    "why": "the broker ended three sessions over it",
                }
            ],
            "quarantined": {},
            "certificate_days": 302,
        },
    }


def _connection(
    name: str,
    driver: str,
    url: str,
    state: str,
    units: str,
    good: int,
    bound: int,
    age_s: float,
    trip: float | None,
) -> dict[str, Any]:
    silent = state == "down"
    return {
        "name": name,
        "driver": driver,
        "url": url,
        "state": state,
        "since": ago(minutes=26) if silent else ago(days=2),
        "error": f"{url.partition('//')[2]}: no answer in 1 s" if silent else None,
        "insecure": name == "plc-zj",
        "last_answer": ago(seconds=age_s),
        "round_trip_ms": trip,
        "points": {"bound": bound, "good": good},
        "requests": 8,
        "cycle_s": None if silent else 0.62,
        "interval_s": 2.0,
        "units": [
            {
                "key": key,
                "silent": silent,
                "since": ago(minutes=26) if silent else None,
                "why": None,
                "holes": ["holding 210: no such address, the others are read"] if name == "plc-th01" else [],
                "reads": 40_000,
                "errors": {},
            }
            for key in units.split()
        ],
        "notes": ["everything that is read can be seen and changed on the way"] if name == "plc-zj" else [],
    }


def _point(
    name: str,
    zh: str,
    en: str,
    connection: str,
    value: Any,
    unit: str | None,
    quality: str,
    age_s: float | None,
    raw: str | None,
) -> dict[str, Any]:
    subject, _, signal = name.partition("/")
    return {
        "name": name,
        "subject": subject,
        "signal": signal,
        "title": {"zh": zh, "en": en},
        "connection": connection,
        "address": "1:holding:210",
        "value": value,
        "unit": unit,
        "quality": quality,
        "raw": raw,
        "read": None if age_s is None else ago(seconds=age_s),
        "age_s": age_s,
        "source_time": None,
        "source_age_s": None,
        "fault": "no such address" if quality == "fault" else None,
    }


def _machine(number: str, state: str, minutes: int) -> dict[str, Any]:
    midnight = NOW.replace(hour=0, minute=0, second=0)
    since = max(NOW - timedelta(minutes=minutes), midnight)
    steps = [(midnight, "OFF"), (midnight + timedelta(hours=1), "PRODUCING")]
    lane = [*((at, of) for at, of in steps if at < since), (since, state)]
    return {
        "asset_no": number,
        "name": "立式加工中心 <b>VMC850</b>" if number == "CJ-04" else "设备",
        "state": state,
        "since": ago(minutes=minutes),
        "reason": "alarm 2041" if state == "FAULT" else None,
        "lane": [[iso(at), of] for at, of in lane],
    }


def _meters() -> list[dict[str, Any]]:
    energy = {
        "register": "EM-01/energy_import#1f3a9c02",
        "signal": "energy_import",
        "value": "2614382.40",
        "unit": "kWh",
        "at": ago(seconds=2),
        "today": "1203.60",
        "fault": None,
    }
    water = energy | {
        "register": "WM-01/water_volume#77aa01bc",
        "signal": "water_volume",
        "value": None,
        "unit": "m3",
        "today": None,
        "fault": "the register went from 48,216 to 102",
    }
    return [
        {"asset_no": "EM-01", "name": "总电表", "carrier": "electricity", "registers": [energy]},
        {"asset_no": "WM-01", "name": "水表", "carrier": "water_fresh", "registers": [water]},
    ]


def _doctor() -> list[dict[str, Any]]:
    found = [
        ("connection", "alarm", "plc-lb01: TCP connects, unit 1 does not answer", "ganpo ping plc-lb01"),
        ("serial", "look", "/dev/ttyS1: its group is not dialout", "sudo ganpo service install --serial"),
        ("clock", "ok", "NTP, 12 ms off", None),
        ("disk", "ok", "41 GB free", None),
        ("dns", "ok", "ganpo.example: 203.0.113.20, 4 ms", None),
        ("certificate", "ok", "302 days left", None),
        ("broker", "ok", "TLS 1.3, logged in as gw-nc-0417", None),
        ("outbox", "ok", "2 frames wait", None),
        ("version", "ok", "1.0.2", None),
    ]
    return [
        {"check": check, "level": level, "what": what, "command": command}
        for check, level, what, command in found
    ]
