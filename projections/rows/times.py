"""Times as the log writes them, read by the million."""

from __future__ import annotations

from datetime import datetime

from mypy_extensions import i64

from models.events.clock import ms_of


def milliseconds(iso: str) -> int:
    """Return an ISO time as ms since 1970. Raises ValueError or TypeError on anything else."""
    size: i64 = len(iso)
    if (size == 27 and ord(iso[19]) == ord(".")) or size == 20:
        day = _whole(iso, 8, 10)
        # Written as ours are, on a day that every month has: what is left needs no calendar.
        if (
            ord(iso[4]) == ord("-")
            and ord(iso[7]) == ord("-")
            and ord(iso[10]) == ord("T")
            and ord(iso[13]) == ord(":")
            and ord(iso[16]) == ord(":")
            and ord(iso[size - 1]) == ord("Z")
            and 1 <= day <= 28
        ):
            year, month = _whole(iso, 0, 4), _whole(iso, 5, 7)
            hour, minute, second = _whole(iso, 11, 13), _whole(iso, 14, 16), _whole(iso, 17, 19)
            micros: i64 = _whole(iso, 20, 26) if size == 27 else 0
            if (
                year >= 1
                and 1 <= month <= 12
                and 0 <= hour < 24
                and 0 <= minute < 60
                and 0 <= second < 60
                and micros >= 0
            ):
                days = _days(year, month, day)
                return (((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + micros // 1000
    return ms_of(datetime.fromisoformat(iso))


def _whole(iso: str, start: i64, end: i64) -> i64:
    """Return the number that stands there, -1 if it is none."""
    number: i64 = 0
    at: i64 = start
    while at < end:
        digit: i64 = ord(iso[at]) - ord("0")
        if digit < 0 or digit > 9:
            return -1
        number = number * 10 + digit
        at += 1
    return number


def _days(year: i64, month: i64, day: i64) -> i64:
    """Return days since 1970; years begin in March, so that a leap day is the last of one."""
    if month < 3:
        year -= 1
        month += 12
    since_march = (153 * (month - 3) + 2) // 5 + day - 1
    return year * 365 + year // 4 - year // 100 + year // 400 + since_march - 719_468
