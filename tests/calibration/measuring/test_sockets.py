"""The link measurement over real sockets."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tiergym.calibration.measuring import sockets
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
def port() -> Iterator[int]:
    told: list[int] = []
    ready = threading.Event()

    def listen(at: int) -> None:
        told.append(at)
        ready.set()

    thread = threading.Thread(target=serve, args=(0, "127.0.0.1", 2, listen), daemon=True)
    thread.start()
    assert ready.wait(5.0)
    yield told[0]
    while thread.is_alive():
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", told[0]), timeout=1.0).close()
        thread.join(0.05)


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


def relay(to: int, bytes_a_second: float) -> int:
    """A port from which a slow way leads to another."""
    server = socket.create_server(("127.0.0.1", 0))

    def carry(source: socket.socket, target: socket.socket) -> None:
        free = 0.0
        while part := source.recv(16384):
            free = max(free, time.perf_counter()) + len(part) / bytes_a_second
            time.sleep(max(free - time.perf_counter(), 0.0))
            target.sendall(part)
        target.shutdown(socket.SHUT_WR)

    def run() -> None:
        with server:
            near, _ = server.accept()
        with near, socket.create_connection(("127.0.0.1", to)) as far:
            for end in (near, far):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            upward = threading.Thread(target=carry, args=(near, far), daemon=True)
            upward.start()
            carry(far, near)
            upward.join()

    threading.Thread(target=run, daemon=True).start()
    return int(server.getsockname()[1])


def test_the_bandwidth_of_a_slow_way_is_found(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "SIZES", (1_000, 100_000, 400_000, 1_000_000))
    found = measure_link(f"127.0.0.1:{relay(port, 10e6)}", pings=20, repeats=2)
    # The way takes 80 Mbit/s, the loopback behind it thousands; a busy machine blurs both.
    assert 20.0 < found.up_mbps < 250.0
    assert 20.0 < found.down_mbps < 90.0


def test_a_very_slow_way_is_measured_with_small_transfers_alone(
    port: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(sockets, "LONG", 0.05)
    found = measure_link(f"127.0.0.1:{relay(port, 1e6)}", pings=3, repeats=1)
    assert 2.0 < found.up_mbps < 10.0


def test_a_silent_client_does_not_keep_others_out(port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "TIMEOUT", 0.2)
    with socket.create_connection(("127.0.0.1", port), timeout=5.0) as silent:
        silent.sendall(b"P")
        assert silent.recv(10) == b""
    monkeypatch.setattr(sockets, "TIMEOUT", 5.0)
    assert measure_link(f"127.0.0.1:{port}", pings=3, repeats=1).rtt > 0.0


def test_a_server_that_never_answers_is_told(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sockets, "TIMEOUT", 0.2)
    mute = socket.create_server(("127.0.0.1", 0))
    with mute, pytest.raises(InvalidInput, match="timed out"):
        measure_link(f"127.0.0.1:{mute.getsockname()[1]}")


def test_nobody_there_is_told():
    with pytest.raises(InvalidInput, match="serve=true"):
        measure_link("127.0.0.1:1")
    with pytest.raises(InvalidInput, match="host:port"):
        measure_link("host:port")
