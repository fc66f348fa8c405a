"""A link between two hosts, measured by transfers over one TCP connection.

A message is one byte that says what is wanted and four that say how many bytes; then those bytes
(upload), or nothing (ping, download). The answer is one byte, or the bytes asked for.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tiergym.errors import InvalidInput

PORT = 9414
PING, UPLOAD, DOWNLOAD = b"P", b"U", b"D"
_HEADER = struct.Struct("!cI")
MOST_BYTES = 64 * 2**20
"""Largest transfer that is served, so that nobody can ask for gigabytes."""
TIMEOUT = 20.0
"""Seconds without a byte after which a connection is given up."""
SESSION = 600.0
"""Seconds after which a client is sent away, whatever it does: others may wait."""
_CHUNK = 2**16
SIZES = (1_000, 10_000, 100_000, 400_000, 1_000_000, 4_000_000)
LONG = 3.0
"""Larger transfers than one that took so many seconds are left out, so that slow links end too."""


@dataclass(frozen=True)
class LinkMeasured:
    """A link as seen from here.

    Attributes:
        host: where to.
        rtt: seconds, median; rtt_quantiles: seconds by quantile.
        per_package: seconds a transfer takes beside its bytes.
        up_mbps, down_mbps: Mbit/s.
        error: mean absolute relative error of the line through the transfers.
    """

    host: str
    rtt: float
    rtt_quantiles: dict[str, float]
    per_package: float
    up_mbps: float
    down_mbps: float
    error: float


def serve(
    port: int = PORT,
    host: str = "",
    clients: int | None = None,
    ready: Callable[[int], None] | None = None,
) -> None:
    """Answer measuring hosts, one at a time, for ever or for a number of ``clients``.

    Args:
        port: 0 takes a free one.
        ready: called with the port once it listens.
    """
    with socket.create_server((host, port)) as server:
        if ready is not None:
            ready(int(server.getsockname()[1]))
        served = 0
        while clients is None or served < clients:
            connection, _ = server.accept()
            with connection:
                _answer(connection)
            served += 1


def _answer(connection: socket.socket) -> None:
    """Serve one client until it goes, is silent or stays for long, or is not understood."""
    connection.settimeout(TIMEOUT)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    end = time.monotonic() + SESSION
    try:
        while time.monotonic() < end:
            kind, size = _HEADER.unpack(_read(connection, _HEADER.size))
            if kind not in (PING, UPLOAD, DOWNLOAD) or size > MOST_BYTES:
                return
            if kind == UPLOAD:
                _skip(connection, size, end)
            _send(connection, size if kind == DOWNLOAD else 1)
    except OSError:
        return


def measure_link(where: str, pings: int = 50, repeats: int = 7) -> LinkMeasured:
    """Measure the link to a host that serves.

    Args:
        where: ``host`` or ``host:port``.

    Raises:
        InvalidInput: if nobody serves there.
    """
    host, _, port = where.partition(":")
    if not host or not (port or str(PORT)).isdigit():
        raise InvalidInput("link", where, "host, or host:port")
    try:
        with socket.create_connection((host, int(port or PORT)), timeout=TIMEOUT) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            return _measured(connection, where, pings, repeats)
    except (OSError, OverflowError) as error:
        allowed = f"a host where `tiergym-calibrate serve=true` runs ({error})"
        raise InvalidInput("link", where, allowed) from None


def _measured(connection: socket.socket, where: str, pings: int, repeats: int) -> LinkMeasured:
    trips = [_timed(connection, PING, 0) for _ in range(pings + 5)][5:]
    rtt = float(np.median(trips))
    up = _transfers(connection, UPLOAD, repeats, rtt)
    down = _transfers(connection, DOWNLOAD, repeats, rtt)
    per_package, up_mbps, error = fit_transfers(up)
    _, down_mbps, _ = fit_transfers(down)
    quantiles = {f"p{q}": float(np.quantile(trips, q / 100)) for q in (10, 50, 90, 99)}
    return LinkMeasured(where, rtt, quantiles, per_package, up_mbps, down_mbps, error)


def _transfers(
    connection: socket.socket, kind: bytes, repeats: int, rtt: float
) -> dict[int, float]:
    """Median seconds by size, less the round trip; the first transfers are not counted."""
    sizes: list[int] = []
    for size in SIZES:
        sizes.append(size)
        if _timed(connection, kind, size) > LONG and len(sizes) > 1:
            break
    took: dict[int, list[float]] = {size: [] for size in sizes}
    for _ in range(repeats):
        for size in sizes:
            took[size].append(_timed(connection, kind, size))
    return {size: max(float(np.median(all_)) - rtt, 1e-9) for size, all_ in took.items()}


def fit_transfers(seconds: dict[int, float]) -> tuple[float, float, float]:
    """Seconds a package, Mbit/s and mean relative error of the line through transfers by size.

    Squares of the relative error are least; a package costs no less than nothing.
    """
    # Whoever only serves needs no SciPy.
    from tiergym.calibration.least_squares import non_negative_fit

    sizes: NDArray[np.float64] = np.array(list(seconds), dtype=np.float64)
    took = np.array(list(seconds.values()))
    design = np.stack([np.ones(len(sizes)), sizes * 8e-6], axis=1)
    found = non_negative_fit(design, took)
    error = float(np.mean(np.abs(design @ found / took - 1.0)))
    return float(found[0]), float(1.0 / max(found[1], 1e-12)), error


def _timed(connection: socket.socket, kind: bytes, size: int) -> float:
    began = time.perf_counter()
    connection.sendall(_HEADER.pack(kind, size))
    if kind == UPLOAD:
        _send(connection, size)
    _skip(connection, size if kind == DOWNLOAD else 1, time.monotonic() + SESSION)
    return time.perf_counter() - began


def _send(connection: socket.socket, size: int) -> None:
    """Zeros, in pieces: a time limit of a socket holds for each call, however slow the link."""
    zeros = memoryview(bytes(min(size, _CHUNK)))
    for start in range(0, size, _CHUNK):
        connection.sendall(zeros[: size - start])


def _read(connection: socket.socket, size: int) -> bytes:
    parts = bytearray()
    while len(parts) < size:
        part = connection.recv(size - len(parts))
        if not part:
            raise ConnectionError("the other side has gone")
        parts += part
    return bytes(parts)


def _skip(connection: socket.socket, size: int, end: float) -> None:
    left = size
    while left > 0:
        if time.monotonic() > end:
            raise TimeoutError("the other side is too slow")
        part = connection.recv(min(left, _CHUNK))
        if not part:
            raise ConnectionError("the other side has gone")
        left -= len(part)
