# SPDX-License-Identifier: GPL-3.0-or-later
"""No two runs get one network."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import nets
import pytest
from processes import Failed

HOLD = """
import sys
sys.path.insert(0, sys.argv[1])
import nets
with nets.Reservation([211]) as net:
    print(net, flush=True)
    sys.stdin.readline()
"""


def test_two_get_different_ones_and_the_third_is_told_at_once() -> None:
    with nets.Reservation([213, 214]) as first:
        with nets.Reservation([213, 214]) as second:
            assert (first, second) == ("127.0.213", "127.0.214")
            with (
                pytest.raises(Failed, match=r"no network for a lab is free, of 127\.0\.213\.0 to 127\.0\.214\.0"),
                nets.Reservation([213, 214]),
            ):
                raise AssertionError("there is none")
        with nets.Reservation([214]) as again:
            assert again == "127.0.214"


def test_one_where_a_program_listens_is_passed_over() -> None:
    with socket.socket() as listener, socket.socket(type=socket.SOCK_DGRAM) as datagrams:
        listener.bind(("127.3.215.9", 0))
        listener.listen()
        datagrams.bind(("127.0.216.1", 0))
        with nets.Reservation([215, 216, 217]) as net:
            assert net == "127.0.217"


def test_it_is_free_again_when_its_holder_was_killed() -> None:
    words = [sys.executable, "-c", HOLD, str(Path(__file__).parent)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout
        assert other.stdout.readline() == "127.0.211\n"
        with pytest.raises(Failed), nets.Reservation([211]):
            raise AssertionError("it is held")
        other.kill()
        other.wait()
        with nets.Reservation([211]) as net:
            assert net == "127.0.211"


def test_an_error_inside_is_not_swallowed() -> None:
    with pytest.raises(OSError, match="disk full"), nets.Reservation([212]):
        raise OSError("disk full")
