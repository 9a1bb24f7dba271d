"""What people compared at devices."""

from sqlalchemy import Connection

from ganpo_cloud.days.commissioned import Record, records
from ganpo_cloud.web.asking import OfDevice, OfEnterprise, Question


def commissioned(connection: Connection, _question: Question, asked: OfEnterprise) -> list[Record]:
    """What displays of devices showed beside what was read, the newest first."""
    return records(connection, asked.enterprise, asked.asset_no if isinstance(asked, OfDevice) else None)


def commissioned_device(connection: Connection, question: Question, asked: OfDevice) -> list[Record]:
    """The same of one device."""
    return commissioned(connection, question, asked)
