"""What was needed for a moment goes back to the machine: a gateway has little memory, and others run on it too."""

import gc


def give_back() -> None:
    """What a page and the doctor took, 1 MB and more. Some 50 ms for 1,000 points."""
    import ctypes  # half a megabyte, which the doctor needs anyway

    gc.collect()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of glibc alone
    if trim is not None:
        trim(0)
