"""Macs and sizes against torch's own counter on the whole network, closed forms, real tensors."""

from __future__ import annotations

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("sklearn")
pytest.importorskip("PIL")

from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

from tests.calibration.multi_exit.small import options  # noqa: E402
from tiergym.calibration.multi_exit.counting import count_blocks  # noqa: E402
from tiergym.calibration.multi_exit.families import MultiExitNetwork, build_network  # noqa: E402
from tiergym.calibration.multi_exit.options import FAMILIES  # noqa: E402

CIFAR = (3, 32, 32)


def chain(family: str, **changes: object) -> MultiExitNetwork:
    network = build_network(options(family=family, **changes), 3, 10)
    assert isinstance(network, MultiExitNetwork)
    return network.eval()


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize(("blocks", "stride"), [(8, 2), (16, 1), (9, 1)])
def test_blocks_and_heads_add_up_to_the_whole_network(family: str, blocks: int, stride: int):
    network = chain(family, blocks=blocks, stem_stride=stride, head_hidden=5)
    counts = count_blocks(network, CIFAR)
    with FlopCounterMode(display=False) as counter, torch.inference_mode():
        network(torch.zeros(1, *CIFAR, dtype=torch.uint8))
    macs = sum(c.macs + (c.head_macs or 0) for c in counts)
    assert 2 * macs == counter.get_total_flops()
    assert len(counts) == blocks
    assert all(c.macs > 0 for c in counts)


@pytest.mark.parametrize("family", FAMILIES)
def test_sizes_are_those_of_real_tensors(family: str):
    network = chain(family, exits=(3, 5))
    sizes: list[int] = []
    for block in network.blocks:
        block.register_forward_hook(lambda _m, _i, out: sizes.append(out.numel()))
    counts = count_blocks(network, CIFAR)
    with torch.inference_mode():
        network(torch.zeros(4, *CIFAR, dtype=torch.uint8))
    assert [4 * c.out_elements for c in counts] == sizes[len(counts) :]
    assert [k for k, c in enumerate(counts, 1) if c.head_macs is not None] == [3, 5, 8]
    stored = [t for n, t in network.state_dict().items() if n.startswith(("blocks", "heads"))]
    total = sum(t.nbytes for t in stored if t.is_floating_point())
    early = sum(c.head_param_bytes or 0 for c in counts[:-1])
    assert sum(c.param_bytes for c in counts) + early == total


def test_closed_forms():
    """Block 1: 3 to 8 channels, block 2: 8 to 8, both at 32x32; a depthwise one: 3x3 and 1x1."""
    counts = count_blocks(chain("vgg"), CIFAR)
    assert [c.macs for c in counts[:2]] == [9 * 3 * 8 * 1024, 9 * 8 * 8 * 1024]
    assert counts[0].param_bytes == 4 * (9 * 3 * 8 + 4 * 8)
    assert counts[0].head_macs == 16 * 8 * 10
    assert counts[0].head_param_bytes == 4 * (16 * 8 * 10 + 10)
    separable = count_blocks(chain("depthwise"), CIFAR)
    assert separable[1].macs == (9 * 8 + 8 * 8) * 1024
    residual = count_blocks(chain("residual"), CIFAR)
    assert residual[0].macs == (9 * 3 * 8 + 9 * 8 * 8 + 3 * 8) * 1024
    assert residual[1].macs == 2 * 9 * 8 * 8 * 1024


def test_channels_double_where_the_side_halves():
    counts = count_blocks(chain("residual", blocks=9), CIFAR)
    assert [c.out_elements for c in counts] == [8192] * 3 + [4096] * 3 + [2048] * 3
