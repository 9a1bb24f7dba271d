"""Why something is not counted."""

from sqlalchemy import Connection

from ganpo_cloud.days import reasons
from ganpo_cloud.province.gains import served
from ganpo_cloud.province.why import why
from ganpo_cloud.store.described import Instant, answer, filled, said, unsaid
from ganpo_cloud.web.asking import OfDevice, OfEnterprise, Question
from ganpo_cloud.web.i18n import translator
from ganpo_model.moves import Step


@answer
class Reason:
    """One thing that is missing of an enterprise or a device."""

    code: str = said("word for programs: it stays as it is", "device")
    what: str = said(
        "what is missing of it; to programs in English", "it does not answer: no answer", told="of"
    )
    since: Instant | None = said("since when, where it is known", "2026-11-25T02:15:00.000Z")
    command: str = said("command that closes it", "curl http://127.0.0.1:8780/health")
    step: Step = said("what somebody can do about it", "bring_back")
    serves: list[str] = said("ids of the numbers that this moves", ["equip_active_rate"])
    of: reasons.Reason = unsaid()


def enterprise(connection: Connection, question: Question, asked: OfEnterprise) -> list[Reason]:
    """Why an enterprise is not counted."""
    asset_no = asked.asset_no if isinstance(asked, OfDevice) else None
    found = why(connection, asked.enterprise, asset_no, question.now, question.province.holidays)
    t = translator("en")
    return [
        filled(Reason, reason, what=reason.told(t), serves=served(reason.code), of=reason) for reason in found
    ]


def device(connection: Connection, question: Question, asked: OfDevice) -> list[Reason]:
    """Why a device is not counted."""
    return enterprise(connection, question, asked)
