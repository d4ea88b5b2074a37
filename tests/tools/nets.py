# SPDX-License-Identifier: GPL-3.0-or-later
"""Loopback networks for labs: each run takes one that no other run and no program has."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from pathlib import Path

from processes import Failed

WAITING = {Path("/proc/net/tcp"): "0A", Path("/proc/net/udp"): "07"}
"""The kernel's tables of sockets, with the state of a socket that waits for somebody."""


class Reservation:
    """Holds the first free N for addresses 127.*.N.*; as a context manager it says 127.0.N.

    An abstract Unix socket reserves it: one for the whole computer, and gone with the process that holds it.

    Args:
        candidates: Values of N.
        taken: Says which of them are not free though nobody holds them.

    Raises:
        Failed: All are taken.

    """

    def __init__(self, candidates: Iterable[int], taken: Callable[[int], bool] | None = None) -> None:
        numbers = list(candidates)
        for number in numbers:
            self.number, self.net = number, f"127.0.{number}"
            self._holder = socket.socket(socket.AF_UNIX)
            if self._bind() and not (taken or in_use)(number):
                return
            self._holder.close()
        raise Failed(f"no network for a lab is free, of 127.0.{numbers[0]}.0 to 127.0.{numbers[-1]}.0: end a lab")

    def __enter__(self) -> str:
        return self.net

    def __exit__(self, *_error: object) -> None:
        self._holder.close()

    def _bind(self) -> bool:
        try:
            self._holder.bind(f"\0hybridjoin.odj/{self.net}")
        except OSError:
            return False
        return True


def in_use(number: int) -> bool:
    """Say whether a program listens at an address 127.*.N.*."""
    for table, waiting in WAITING.items():
        for row in table.read_text(encoding="ascii").splitlines()[1:]:
            fields = row.split()
            octets = bytes.fromhex(fields[1].partition(":")[0])[::-1]  # the kernel prints them the other way round
            if (octets[0], octets[2]) == (127, number) and fields[3] == waiting:
                return True
    return False
