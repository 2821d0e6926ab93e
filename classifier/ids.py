"""Identifiers that sort by time of making: new rows go to the end of an index."""

import secrets
import time
import uuid


def uuid7() -> uuid.UUID:
    """A version 7 UUID: 48 bits of Unix milliseconds, 12 of what is left of them, 62 random bits.

    The 12 bits, a quarter of a microsecond each, sort those that are made one after the other.

    Source:
        RFC 9562, sections 5.7 and 6.2 (method 3). Python has `uuid.uuid7` from 3.14 on.
    """
    milliseconds, nanoseconds = divmod(time.time_ns(), 1_000_000)
    fraction = (nanoseconds << 12) // 1_000_000
    number = (milliseconds & (1 << 48) - 1) << 80 | fraction << 64 | secrets.randbits(62)
    return uuid.UUID(int=number | 7 << 76 | 0b10 << 62)  # version and variant
