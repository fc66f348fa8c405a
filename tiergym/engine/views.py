"""Records of a row and of its model, inside compiled functions.

A `World` is two addresses, so passing it on costs two registers; ``task_at(w, i)`` is the i-th
record of the row's tasks, read and written in place. (Passing array views of every section instead
made each call push some 160 words.) Nothing is checked: an index is the caller's duty.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

from llvmlite import ir  # pyright: ignore[reportMissingTypeStubs]
from numba import from_dtype, types  # pyright: ignore[reportMissingTypeStubs]
from numba.extending import intrinsic  # pyright: ignore[reportMissingTypeStubs]

from tiergym.engine.compiling import compiled
from tiergym.engine.layout import (
    EDGE,
    EVENT,
    EXECUTOR,
    FAILURE,
    HEAD,
    HISTORY,
    LINK,
    MODEL_GROUP,
    MODEL_HEAD,
    MODEL_LINK,
    MODEL_NETWORK,
    MODEL_NODE,
    MODEL_ROUTE,
    MODEL_STAGE,
    NODE,
    NONE,
    PAST,
    PIECE,
    QUEUE,
    REPORT,
    TASK,
    TERMINAL,
    VALUE_F4,
    VALUE_F8,
    VALUE_I1,
    VALUE_I8,
    Record,
)


class World(NamedTuple):
    """Addresses of the first byte of a row and of its model."""

    row: int
    model: int


Accessor = Callable[[World, int], Any]
_ir, _types, _intrinsic = cast(Any, ir), cast(Any, types), cast(Any, intrinsic)
_from_dtype = cast(Any, from_dtype)


def _pointer(builder: Any, address: Any, kind: Any) -> Any:
    return builder.inttoptr(address, kind)


def _section(owner: Record, name: str, dtype: Record) -> Accessor:
    """The accessor of a section: ``owner`` is `HEAD` or `MODEL_HEAD`, ``name`` its offset field."""
    record = _from_dtype(dtype)
    part = 0 if owner is HEAD else 1
    offset = cast(Any, owner.fields)[name][1]

    def access(typing: Any, w: Any, index: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            word = _ir.IntType(64)
            base = builder.extract_value(args[0], part)
            at = _pointer(builder, builder.add(base, word(offset)), word.as_pointer())
            begin = builder.add(base, builder.load(at))
            address = builder.add(begin, builder.mul(args[1], word(dtype.itemsize)))
            return _pointer(builder, address, context.get_value_type(record))

        return record(w, _types.int64), generate

    return cast(Accessor, _intrinsic(access))


def _header(dtype: Record, part: int) -> Callable[[World], Any]:
    record = _from_dtype(dtype)

    def access(typing: Any, w: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            base = builder.extract_value(args[0], part)
            return _pointer(builder, base, context.get_value_type(record))

        return record(w), generate

    return cast(Callable[[World], Any], _intrinsic(access))


head = _header(HEAD, 0)
node_at = _section(HEAD, "at_node", NODE)
link_at = _section(HEAD, "at_link", LINK)
queue_at = _section(HEAD, "at_queue", QUEUE)
executor_at = _section(HEAD, "at_executor", EXECUTOR)
task_at = _section(HEAD, "at_task", TASK)
event_at = _section(HEAD, "at_event", EVENT)
jitter_at = _section(HEAD, "at_jitter", VALUE_F8)
piece_at = _section(HEAD, "at_piece", PIECE)
history_at = _section(HEAD, "at_history", HISTORY)
dirty_at = _section(HEAD, "at_dirty", VALUE_I8)
alive_at = _section(HEAD, "at_alive", VALUE_I8)
past_at = _section(HEAD, "at_past", PAST)
terminal_at = _section(HEAD, "at_terminal", TERMINAL)
unanswered_at = _section(HEAD, "at_unanswered", VALUE_I8)
edge_at = _section(HEAD, "at_edge", EDGE)
report_at = _section(HEAD, "at_report", REPORT)
parameters_at = _section(HEAD, "at_parameters", VALUE_I8)
moment_at = _section(HEAD, "at_moment", VALUE_F8)
half_rtt_at = _section(HEAD, "at_half_rtt", VALUE_F8)
failure_at = _section(HEAD, "at_failure", FAILURE)

model = _header(MODEL_HEAD, 1)
node_spec = _section(MODEL_HEAD, "at_node", MODEL_NODE)
link_spec = _section(MODEL_HEAD, "at_link", MODEL_LINK)
network_spec = _section(MODEL_HEAD, "at_network", MODEL_NETWORK)
group_spec = _section(MODEL_HEAD, "at_group", MODEL_GROUP)
stage_spec = _section(MODEL_HEAD, "at_stage", MODEL_STAGE)
seconds_at = _section(MODEL_HEAD, "at_seconds", VALUE_F8)
workspace_at = _section(MODEL_HEAD, "at_workspace", VALUE_F8)
rank_at = _section(MODEL_HEAD, "at_rank", VALUE_I8)
slot_at = _section(MODEL_HEAD, "at_slot", VALUE_I8)
confidence_at = _section(MODEL_HEAD, "at_confidence", VALUE_F4)
correct_at = _section(MODEL_HEAD, "at_correct", VALUE_I1)
route_spec = _section(MODEL_HEAD, "at_route", MODEL_ROUTE)
block_bytes_at = _section(MODEL_HEAD, "at_block", VALUE_F8)
fetch_at = _section(MODEL_HEAD, "at_fetch", VALUE_F8)
deployed_at = _section(MODEL_HEAD, "at_deployed", VALUE_I8)


def _prefetch(typing: Any, address: Any) -> Any:
    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        word, byte = _ir.IntType(32), _ir.IntType(8).as_pointer()
        kind = _ir.FunctionType(_ir.VoidType(), [byte, word, word, word])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        pointer = builder.inttoptr(args[0], byte)
        builder.call(function, [pointer, word(0), word(3), word(1)])
        return context.get_dummy_value()

    return _types.void(_types.int64), generate


prefetch = cast(Callable[[int], None], _intrinsic(_prefetch))
"""Ask for the cache line at an address, without waiting for it."""

_LINE = 64


@compiled
def prefetch_row(rows: Any, base: int, size: int) -> None:
    """Ask for the first ``size`` bytes of the row at byte ``base``."""
    address = rows.ctypes.data + base
    for at in range(address, address + size, _LINE):
        prefetch(at)


@compiled
def prefetch_tasks(w: World, n: int) -> None:
    """Ask for the tasks that a step of a row is likely to read: queue ends, the next arrival."""
    h, groups = head(w), model(w).groups
    tasks = w.row + h.at_task
    prefetch(tasks + min(h.next_arrival, h.tasks - 1) * _TASK_BYTES)
    prefetch(w.row + h.at_event)
    g = node_at(w, n).first_group
    while g != NONE:
        queue = queue_at(w, n * groups + g)
        prefetch(tasks + queue.first * _TASK_BYTES)
        prefetch(tasks + queue.last * _TASK_BYTES)
        g = queue.next_group


_TASK_BYTES = TASK.itemsize


@compiled
def open_world(rows: Any, base: int, models: Any) -> World:
    """The row at byte ``base`` of ``rows``, whose model lies in ``models``."""
    row = World(rows.ctypes.data + base, 0)
    return World(row.row, models.ctypes.data + head(row).model)
