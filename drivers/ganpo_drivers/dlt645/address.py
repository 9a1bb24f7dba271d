"""Where a value of DL/T 645 lives: `METER:ITEM`, printed with the data identifier."""

import re
from typing import Any, Self

from pydantic import Field

from ganpo_drivers.api import Address
from ganpo_drivers.dlt645.identifiers import identifiers
from ganpo_drivers.readout.formats import Piece, pieces
from ganpo_model.meant import meant

WILDCARD = "AAAAAAAAAAAA"
_BROADCAST = "999999999999"
_TEXT = re.compile(r"([^:.]*):([^:.]+)(?:\.(\d+))?")
_DI = re.compile(r"[0-9A-F]{8}|[0-9A-F]{4}")


class Dlt645Address(Address):
    """One value of one meter."""

    meter: str = Field(
        description="12 digits as on the nameplate, or AAAAAAAAAAAA: the only meter of the line"
    )
    di: str = Field(description="data identifier, most significant byte first: 8 digits (2007) or 4 (1997)")
    part: int = Field(default=0, description="which value of an item that has several, from 1; 0: it has one")
    form: str = Field(description="how its bytes are read: XXXXXX.XX")

    @classmethod
    def parse(cls, text: str, **columns: Any) -> Self:
        """`000000000161:00010000` or `000000000161:forward_active`; `.2` for the second value of an item that has
        several. An identifier that is not known here needs its format in the column `type`.

        Raises ValueError with the reason.
        """
        match = _TEXT.fullmatch(text.strip())
        if match is None:
            raise ValueError(f"{text!r} is not METER:ITEM, like 000000000161:00010000")
        meter, item, part = match[1].upper(), match[2], int(match[3] or 0)
        if meter != WILDCARD and not re.fullmatch(r"[0-9]{12}", meter):
            least = f", like {meter.zfill(12)}" if meter.isdecimal() and len(meter) < 12 else ""
            raise ValueError(
                f"{match[1]!r} is no meter: the 12 digits of its nameplate{least}, or {WILDCARD}"
            )
        if meter == _BROADCAST:
            raise ValueError(f"{meter} is everybody's address: no meter answers it")
        known = identifiers().get(item) or identifiers().get(item.upper())
        di = known.di if known is not None else item.upper()
        form = str(columns.get("type") or "") or (known.format if known is not None else "")
        if known is None and not _DI.fullmatch(di):
            near = meant(item, identifiers())
            hint = f": did you mean {near}?" if near else ""
            raise ValueError(f"{item!r} is no item: 8 or 4 hexadecimal digits, or a name{hint}")
        if not form:
            raise ValueError(f"{di} is not known here: write its format into the column type, like XXXXXX.XX")
        count = len(pieces(form))
        if not (1 <= part <= count if count > 1 else part == 0):
            several = f"{count} values: .1 to .{count}" if count > 1 else "one value"
            raise ValueError(f"{text!r}: {di} has {several}")
        return cls(meter=meter, di=di, part=part, form=form)

    def __str__(self) -> str:
        return f"{self.meter}:{self.di}" + (f".{self.part}" if self.part else "")

    @property
    def key(self) -> str:
        """The meter."""
        return self.meter

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """All values of the item, in the order of their bytes."""
        return pieces(self.form)
