"""What a training run is told, as ``key=value`` words or as a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, cast

import yaml

from tiergym.errors import InvalidInput
from tiergym.fields import closest, integer, number, sequence

FAMILIES = ("residual", "vgg", "depthwise")
SCHEMES = ("joint", "separate", "progressive", "independent", "mixed")
WEIGHTS = ("equal", "early-heavy", "late-heavy")
AUGMENTATIONS = ("flip", "shift", "none")
LEAST_BLOCKS, MOST_BLOCKS = 8, 16

_CHOICES = {
    "family": FAMILIES,
    "scheme": SCHEMES,
    "weights": WEIGHTS,
    "augment": AUGMENTATIONS,
    "head_augment": AUGMENTATIONS,
}
_LEAST = {
    "seed": 0,
    "blocks": LEAST_BLOCKS,
    "width": 1,
    "stem_stride": 1,
    "head_pool": 1,
    "head_hidden": 0,
    "epochs": 1,
    "head_epochs": 1,
    "stage_epochs": 1,
    "batch": 2,
    "threads": 1,
}
_POSITIVE = ("learning_rate", "head_learning_rate")


@dataclass(frozen=True)
class Options:
    """A training run. Two runs with equal options, data and versions give equal weights.

    Attributes:
        family: shape of the chain: residual, vgg or depthwise.
        scheme: how the heads are trained: joint, separate, progressive, independent or mixed.
        weights: of the heads' losses where several are summed: equal, early-heavy or late-heavy.
        seed: of the first weights, the order of images and their augmentation.
        blocks: L, 8 to 16.
        width: channels of the first third of the blocks; they double twice.
        stem_stride: stride of the first convolution; 2 quarters the work of every block.
        exits: blocks that get a head; none given means every block. L always has one.
        head_pool: pixels along a side that a head pools features to.
        head_hidden: units of a hidden layer in every head; 0 for none.
        epochs: of phases that train the whole path.
        head_epochs: of phases that train heads on a frozen backbone (separate).
        stage_epochs: of each stage (progressive).
        batch: images in a step.
        learning_rate, head_learning_rate: largest rate of AdamW; the second for heads alone.
        weight_decay: AdamW's.
        augment: flip (shifts by an eighth and mirror images), shift or none.
        head_augment: the same for heads on a frozen backbone, which gain nothing from it: on
            `vgg8-w8` none was better at every exit.
        threads: of torch.
    """

    family: str = "vgg"
    scheme: str = "joint"
    weights: str = "equal"
    seed: int = 0
    blocks: int = 8
    width: int = 16
    stem_stride: int = 2
    exits: tuple[int, ...] | None = None
    head_pool: int = 4
    head_hidden: int = 0
    epochs: int = 10
    head_epochs: int = 6
    stage_epochs: int = 4
    batch: int = 128
    learning_rate: float = 4e-3
    head_learning_rate: float = 1.6e-2
    weight_decay: float = 1e-2
    augment: str = "flip"
    head_augment: str = "none"
    threads: int = 1

    @property
    def name(self) -> str:
        """Such as ``vgg8-w16-joint-equal-s0``; weights only where losses are summed."""
        weights = f"-{self.weights}" if self.scheme in ("joint", "mixed") else ""
        return f"{self.architecture}-{self.scheme}{weights}-s{self.seed}"

    @property
    def architecture(self) -> str:
        """Such as ``vgg8-w16``: what device profiles price it by, if head and stem are usual."""
        usual = Options()
        own = [
            f"-{letter}{value}"
            for letter, value, default in (
                ("t", self.stem_stride, usual.stem_stride),
                ("p", self.head_pool, usual.head_pool),
                ("h", self.head_hidden, usual.head_hidden),
            )
            if value != default
        ]
        return f"{self.family}{self.blocks}-w{self.width}{''.join(own)}"

    @property
    def all_exits(self) -> tuple[int, ...]:
        """Blocks with a head, rising, the last of them L."""
        chosen = range(1, self.blocks + 1) if self.exits is None else self.exits
        return tuple(sorted({*chosen, self.blocks}))

    def plain(self) -> dict[str, Any]:
        """The options as JSON values."""
        return {**asdict(self), "exits": list(self.all_exits)}


def parse_options(given: Mapping[str, object]) -> Options:
    """Options from a mapping.

    Raises:
        InvalidInput: naming the option that is unknown or out of range.
    """
    known = [field.name for field in fields(Options)]
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key not in known:
            raise InvalidInput(key, value, f"one of {', '.join(known)}{closest(key, known)}")
        values[key] = _value(key, value)
    options = Options(**values)
    _check_blocks(options)
    return options


def parse_words(words: Sequence[str]) -> dict[str, object]:
    """``["seed=1", "exits=[2,4]"]`` as a mapping; values are read as YAML.

    Raises:
        InvalidInput: for a word without ``=`` or a key given twice.
    """
    given: dict[str, object] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise InvalidInput("argument", word, "key=value")
        if key in given:
            raise InvalidInput(key, value, "each key once")
        try:
            given[key] = cast(object, yaml.safe_load(value))
        except yaml.YAMLError:
            given[key] = value
    return given


def _value(key: str, value: object) -> Any:
    if key in _CHOICES:
        allowed = _CHOICES[key]
        if value not in allowed:
            hint = f"one of {', '.join(allowed)}{closest(value, allowed)}"
            raise InvalidInput(key, value, hint)
        return value
    if key == "exits":
        return None if value is None else _exits(value)
    if key in _LEAST:
        return integer(key, value, low=_LEAST[key])
    rate = float(value) if isinstance(value, str) and _is_number(value) else value
    if key in _POSITIVE:
        return number(key, rate, above=0.0)
    return number(key, rate, low=0.0)


def _is_number(value: str) -> bool:
    """YAML reads ``1e-3`` as text."""
    try:
        float(value)
    except ValueError:
        return False
    return True


def _exits(value: object) -> tuple[int, ...]:
    allowed = "a list of at least one block before the last"
    blocks = sequence("exits", value, allowed)
    return tuple(integer(f"exits[{k}]", block, "block", low=1) for k, block in enumerate(blocks))


def _check_blocks(options: Options) -> None:
    if options.blocks > MOST_BLOCKS:
        raise InvalidInput("blocks", options.blocks, f"{LEAST_BLOCKS} to {MOST_BLOCKS}")
    if options.all_exits[-1] > options.blocks:
        raise InvalidInput("exits", options.exits, f"blocks from 1 to {options.blocks}")
    if len(options.all_exits) < 2:
        raise InvalidInput("exits", options.exits, "at least one block before the last")
