"""The link measurement over real sockets."""

from __future__ import annotations

import socket
import threading
import time

import pytest

from tiergym.calibration.measuring.profiles import link_record
from tiergym.calibration.measuring.sockets import (
    MOST_BYTES,
    SIZES,
    fit_transfers,
    measure_link,
    serve,
)
from tiergym.errors import InvalidInput
from tiergym.links import load_link


@pytest.fixture
def port() -> int:
    told: list[int] = []
    ready = threading.Event()

    def listen(at: int) -> None:
        told.append(at)
        ready.set()

    thread = threading.Thread(target=serve, args=(0, "127.0.0.1", 2, listen), daemon=True)
    thread.start()
    assert ready.wait(5.0)
    return told[0]


def test_a_line_through_transfers_is_found_again():
    seconds = {size: 0.004 + size * 8e-6 / 25.0 for size in SIZES}
    per_package, mbps, error = fit_transfers(seconds)
    assert per_package == pytest.approx(0.004)
    assert mbps == pytest.approx(25.0)
    assert error < 1e-9


def test_the_link_to_this_host_is_a_profile(port: int):
    found = measure_link(f"127.0.0.1:{port}", pings=20, repeats=3)
    assert 0.0 < found.rtt < 0.5
    assert found.up_mbps > 50.0
    assert found.down_mbps > 50.0
    link = load_link(link_record("here", found, "test"))
    assert link.rtt == pytest.approx(found.rtt, abs=1e-6)
    assert link.bandwidth.mean() == pytest.approx(found.up_mbps * 1e6, rel=1e-3)


def test_a_message_that_asks_for_too_much_ends_its_connection_and_no_other(port: int):
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as connection:
        connection.sendall(b"D" + (MOST_BYTES + 1).to_bytes(4, "big"))
        assert connection.recv(10) == b""
    assert measure_link(f"127.0.0.1:{port}", pings=3, repeats=1).rtt > 0.0


def test_nobody_there_is_told():
    began = time.perf_counter()
    with pytest.raises(InvalidInput, match="serve=true"):
        measure_link("127.0.0.1:1")
    assert time.perf_counter() - began < 10.0
    with pytest.raises(InvalidInput, match="host:port"):
        measure_link("host:port")
