"""What a training run may be told, and what is refused."""

from __future__ import annotations

import pytest

from tiergym.calibration.multi_exit.options import Options, parse_options, parse_words
from tiergym.errors import InvalidInput


def test_words_become_options():
    words = ["family=residual", "scheme=separate", "seed=3", "exits=[2,5]", "learning_rate=1e-3"]
    options = parse_options(parse_words(words))
    assert (options.family, options.scheme, options.seed) == ("residual", "separate", 3)
    assert options.all_exits == (2, 5, 8)
    assert options.learning_rate == 1e-3
    assert options.name == "residual8-w16-separate-s3"


def test_every_block_has_a_head_unless_exits_are_chosen():
    assert Options(blocks=10).all_exits == tuple(range(1, 11))
    assert Options(scheme="joint", weights="late-heavy").name == "vgg8-w16-joint-late-heavy-s0"


@pytest.mark.parametrize(
    ("given", "field", "allowed"),
    [
        ({"famly": "vgg"}, "famly", "did you mean 'family'"),
        ({"family": "resnet"}, "family", "residual, vgg, depthwise"),
        ({"scheme": "seperate"}, "scheme", "did you mean 'separate'"),
        ({"weights": "even"}, "weights", "equal"),
        ({"blocks": 7}, "blocks", ">= 8"),
        ({"blocks": 17}, "blocks", "8 to 16"),
        ({"exits": []}, "exits", "at least one block before the last"),
        ({"exits": [8]}, "exits", "at least one block before the last"),
        ({"exits": [9]}, "exits", "blocks from 1 to 8"),
        ({"exits": [0]}, "exits[0]", ">= 1"),
        ({"exits": 3}, "exits", "a list"),
        ({"seed": -1}, "seed", ">= 0"),
        ({"epochs": 0}, "epochs", ">= 1"),
        ({"learning_rate": 0}, "learning_rate", "> 0"),
        ({"weight_decay": -1}, "weight_decay", ">= 0"),
        ({"learning_rate": "fast"}, "learning_rate", "> 0"),
    ],
)
def test_wrong_options_are_named(given: dict[str, object], field: str, allowed: str):
    with pytest.raises(InvalidInput) as caught:
        parse_options(given)
    assert caught.value.field == field
    assert allowed in caught.value.allowed


@pytest.mark.parametrize("words", [["seed"], ["=3"], ["seed=1", "seed=2"]])
def test_wrong_words_are_refused(words: list[str]):
    with pytest.raises(InvalidInput):
        parse_words(words)
