"""What was needed for a moment goes back to the machine: a gateway has little memory, and others run on it too."""

import asyncio
import ctypes
import gc

FIRST_S = 10.0
"""By then the configuration is read, and everything observed once."""
AGAIN_S = 600.0


async def give_back() -> None:
    """For ever: of the start, and later of what a page or a reload took. Some ms each."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    await asyncio.sleep(FIRST_S)
    gc.collect()
    while trim is not None:
        trim(0)
        await asyncio.sleep(AGAIN_S)
