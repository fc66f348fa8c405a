"""Compare the training schemes; ``python -m tiergym.calibration.comparison``.

Without words it draws the findings from the shipped exit tables: accuracy at each exit with 95 %
intervals over seeds, accuracy at equal mean latency, latency at equal accuracy, training seconds,
and the verdict on the thesis's claim. ``train=true data=IMAGES`` trains all runs (hours on one
core; goes on when interrupted), ``pack=FOLDER`` packs finished runs into the package.

    train: true trains what is not there yet, into folder
    pack: folder of finished runs to pack
    data: an .npz file or a folder of images by class; folder: of runs (default results/comparison)
    out: where the findings are written (default results/claims)
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tiergym.calibration.comparison.variants import SEEDS, VARIANTS
from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, text

KEYS = ("train", "pack", "data", "folder", "out")
DATA = "../shared/data/cifar10-jpeg.npz"


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all went well."""
    from tiergym.calibration.multi_exit.options import parse_words

    given = list(sys.argv[1:] if words is None else words)
    if {"-h", "--help"} & set(given):
        print(__doc__)
        return 0
    try:
        options = parse_words(given)
        for key in options:
            if key not in KEYS:
                allowed = f"one of {', '.join(KEYS)}{closest(key, KEYS)}"
                raise InvalidInput(key, options[key], allowed)
        folder = text("folder", options.get("folder", "results/comparison"))
        if flag("train", options.get("train", False)):
            return train(text("data", options.get("data", DATA)), folder)
        if "pack" in options:
            from tiergym.calibration.comparison.evidence import pack

            print(f"{pack(Path(text('pack', options['pack'])))} runs packed")
            return 0
        show(Path(text("out", options.get("out", "results/claims"))))
    except InvalidInput as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def train(data: str, folder: str) -> int:
    """Train every run that is not there yet, seed by seed."""
    from tiergym.calibration.comparison.evidence import is_finished
    from tiergym.calibration.networks import main as train_networks

    for seed in SEEDS:
        for variant in VARIANTS:
            run = variant.run(seed)
            if is_finished(Path(folder), run.name):
                continue
            usual = type(run)().plain()
            options = [f"{k}={v}" for k, v in run.plain().items() if v != usual[k]]
            words = [word.replace(" ", "") for word in options]
            code = train_networks(
                [*words, f"data={data}", f"out={folder}", f"checkpoints={folder}/checkpoints"]
            )
            if code:
                return code
    return 0


def show(out: Path) -> None:
    """Print the findings and write them under ``out``."""
    from tiergym.calibration.comparison import report
    from tiergym.calibration.comparison.evidence import load_runs
    from tiergym.calibration.comparison.findings import (
        by_variant,
        exit_differences,
        serve_all,
        verdict_of,
    )

    runs = by_variant(load_runs())
    print("Separate training of exit heads against a weighted sum of losses (vgg8-w8, CIFAR-10)\n")
    print(report.accuracy_table(runs), report.seed_noise(runs), sep="\n", end="\n\n")
    print(report.cost_table(runs), end="\n\n")
    served = serve_all(runs, lambda line: print(f"  {line}", file=sys.stderr, flush=True))
    print(report.served_table(runs, served), report.larger_table(), sep="\n\n", end="\n\n")
    verdict = verdict_of(exit_differences(runs), served)
    print(f"Verdict: {verdict.word}.", *verdict.sentences, sep="\n  ")
    print("* the 95 % interval of the paired difference does not hold zero")
    for path in report.write_results(out, runs, served, verdict):
        print(f"written to {path}")


if __name__ == "__main__":
    sys.exit(main())
