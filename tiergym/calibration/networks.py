"""Train multi-exit networks and measure their exit tables.

``python -m tiergym.calibration.networks family=vgg scheme=joint seed=0 data=...`` trains a network
and writes the files that `tiergym.networks` loads, into ``out`` (default ``results/networks``). Run
again after an interruption, it goes on. Several values after a key, ``scheme=joint,separate``,
train a network each; ``shipped=true`` trains those that the package ships. Needs torch and Pillow.
"""

from __future__ import annotations

import inspect
import itertools
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from tiergym.calibration.records import RECORDS
from tiergym.errors import InvalidInput
from tiergym.fields import flag, integer, mapping, number, read_yaml, sequence, text
from tiergym.scenarios.words import choice

if TYPE_CHECKING:
    from tiergym.calibration.multi_exit.images import ImageData
    from tiergym.calibration.multi_exit.options import Options

DATA = "../shared/data/cifar10-jpeg.npz"
OUT = "results/networks"
SHIPPED = RECORDS / "trained_networks.yaml"
OWN = {
    "data": "an .npz file or a folder of images by class",
    "out": "folder for the network's files",
    "side": "pixels a side that images are scaled to (default: as they are)",
    "test_share": "share of an undivided folder that is kept for tests",
    "about": "what the images are and where they come from, for the record",
    "train_images": "how many training images are used (default: all)",
    "shipped": "true: train the networks that the package ships",
    "checkpoints": "folder that interrupted runs are taken up from",
    "feature_types": "types that features are coded to as well, such as [float16, int8]: a table "
    "each (default: none; with shipped=true, those)",
}


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all went well."""
    given = list(sys.argv[1:] if words is None else words)
    if {"-h", "--help"} & set(given):
        print(_help())
        return 0
    try:
        return _train_all(given)
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing: pip install 'tiergym[calibration]'", file=sys.stderr)
        return 2
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from the last epoch", file=sys.stderr)
        return 130


def _train_all(words: Sequence[str]) -> int:
    from tiergym.calibration.multi_exit.images import first_images
    from tiergym.calibration.multi_exit.options import parse_options, parse_words
    from tiergym.calibration.multi_exit.reading import load_images
    from tiergym.calibration.multi_exit.shipping import commit

    given = [parse_words(combination) for combination in _combinations(words)]
    own = {key: value for key, value in given[0].items() if key in OWN}
    runs = [{k: v for k, v in each.items() if k not in OWN} for each in given]
    if flag("shipped", own.get("shipped", False)):
        runs = [{**each, **runs[0]} for each in shipped_runs()]
        own = {"about": _shipped()["about"], "feature_types": ["float16", "int8"], **own}
    chosen, code = [parse_options(each) for each in runs], commit()
    side, count = own.get("side"), own.get("train_images")
    limit = None if count is None else integer("train_images", count, "images", low=1)
    data = load_images(
        text("data", own.get("data", DATA)),
        side=None if side is None else integer("side", side, "pixels", low=1),
        test_share=number("test_share", own.get("test_share", 0.2), "share"),
    )
    for options in chosen:
        _train_one(options, first_images(data, limit, None), own, code)
    return 0


def shipped_runs() -> list[dict[str, object]]:
    """Options of the networks that the package ships."""
    return [mapping("networks", each) for each in sequence("networks", _shipped()["networks"])]


def _shipped() -> dict[str, object]:
    return mapping("trained_networks", read_yaml(SHIPPED, "trained_networks"))


def _train_one(options: Options, data: ImageData, own: Mapping[str, object], code: str) -> None:
    import torch

    from tiergym.calibration.multi_exit.shipping import provenance, write_network
    from tiergym.calibration.multi_exit.training import train

    torch.set_num_threads(options.threads)
    folder = Path(text("out", own.get("out", OUT)))
    checkpoints = Path(text("checkpoints", own.get("checkpoints", f"{OUT}/checkpoints")))
    about = text("about", own.get("about", own.get("data", DATA)))
    origin = provenance(_command(options, own), options, about)
    print(f"{options.name}: {len(data.train)} images of {len(data.classes)} classes", flush=True)
    run = train(options, data, checkpoints / f"{options.name}.pt", _say, code)
    table = write_network(run, data, folder, origin, _feature_types(own.get("feature_types")))
    print(f"{'exit':>6}{'validation':>12}{'test':>8}{'mean confidence':>17}")
    for block in run.network.exits:
        shares = [float(part.correct[:, block].mean()) for part in (table.validation, table.test)]
        sure = float(table.test.confidence[:, block].mean())
        print(f"{block:>6}{shares[0]:>12.4f}{shares[1]:>8.4f}{sure:>17.3f}")
    print(f"written to {folder}/{options.name}.*", flush=True)


def _feature_types(value: object) -> list[str]:
    rows = sequence("feature_types", value or [], "a list of feature types")
    return [choice("feature_types", row, ("float16", "int8")) for row in rows]


def _command(options: Options, own: Mapping[str, object]) -> str:
    """A command that trains this network alone."""
    usual, words = type(options)().plain(), list[str]()
    for key, value in options.plain().items():
        if value != usual[key] or key in ("family", "scheme", "seed"):
            words.append(f"{key}={str(value).replace(' ', '')}")
    for key in ("data", "side", "test_share", "train_images"):
        if key in own:
            words.append(f"{key}={own[key]}")
    return " ".join(["python -m tiergym.calibration.networks", *words])


def _combinations(words: Sequence[str]) -> list[list[str]]:
    """``a=1,2 b=3`` as ``[[a=1, b=3], [a=2, b=3]]``; commas inside brackets divide nothing."""
    choices: list[list[str]] = []
    for word in words:
        key, equals, value = word.partition("=")
        several = equals and "[" not in value and key not in OWN
        values = value.split(",") if several else [value]
        choices.append([f"{key}{equals}{each}" for each in values])
    return [list(combination) for combination in itertools.product(*choices)]


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


def _help() -> str:
    from tiergym.calibration.multi_exit.options import Options

    own = "\n".join(f"    {key}: {meaning}" for key, meaning in OWN.items())
    return f"{__doc__}\nOptions:\n{own}\n\n{inspect.getdoc(Options)}"


if __name__ == "__main__":
    sys.exit(main())
