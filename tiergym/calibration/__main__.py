"""Measure the machine at hand, and write a device profile that a scenario takes at once.

``tiergym-calibrate network=vgg8-w16`` (or ``python -m tiergym.calibration ...``) times every stage
of the network at several batch sizes, separates what every stage run costs from its blocks and
heads, and prints how well these predict cuts and batch sizes that were left out. Words are
``key=value``:

    network: shipped networks, or architectures with random weights; several with commas between
    module: module:function of a network of one's own, see tiergym.calibration.measuring.subjects
    batch_sizes: of the profile (default 1,2,4,8,16); held_out: predicted, compared (default 3,6,12)
    repeats: of every stage at every size (default 15)
    threads: of torch (default 1)
    name: of the profile (default: the host's)
    out: file to write (default results/calibration/NAME.yaml)
    serve: true answers hosts that measure their link to this one, on port (default 9414)
    link: host or host:port where another serves; writes NAME-link.yaml as well

Needs torch and SciPy: pip install 'tiergym[calibration]'.
"""

from __future__ import annotations

import platform
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from tiergym.errors import InvalidInput
from tiergym.fields import closest, flag, integer, sequence, text

if TYPE_CHECKING:
    from tiergym.calibration.measuring.measure import Measured
    from tiergym.calibration.measuring.subjects import Subject

KEYS = (
    "network",
    "module",
    "batch_sizes",
    "held_out",
    "repeats",
    "threads",
    "name",
    "out",
    "serve",
    "port",
    "link",
)
OUT = "results/calibration"


def main(words: Sequence[str] | None = None) -> int:
    """Run the command; 0 if all went well."""
    given = list(sys.argv[1:] if words is None else words)
    if not given or {"-h", "--help"} & set(given):
        print(__doc__)
        return 0
    try:
        return _run(["serve=true" if word == "--serve" else word for word in given])
    except ModuleNotFoundError as error:
        print(f"{error.name} is missing: pip install 'tiergym[calibration]'", file=sys.stderr)
        return 2
    except (InvalidInput, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; nothing was written", file=sys.stderr)
        return 130


def _run(words: Sequence[str]) -> int:
    from tiergym.calibration.measuring.sockets import PORT, serve
    from tiergym.calibration.multi_exit.options import parse_words

    given = parse_words(words)
    for key in given:
        if key not in KEYS:
            raise InvalidInput(key, given[key], f"one of {', '.join(KEYS)}{closest(key, KEYS)}")
    if flag("serve", given.get("serve", False)):
        port = integer("port", given.get("port", PORT), "port", low=0)
        serve(port, ready=lambda at: print(f"serving on port {at}; stop with Ctrl-C", flush=True))
        return 0
    name = text("name", given.get("name", platform.node() or "this-machine"))
    path = Path(text("out", given.get("out", f"{OUT}/{name}.yaml")))
    command = "tiergym-calibrate " + " ".join(words)
    if "link" in given:
        _measure_link(text("link", given["link"]), f"{name}-link", path, command)
    if "network" in given or "module" in given:
        _measure_device(given, name, path, command)
    elif "link" not in given:
        raise InvalidInput("network", None, "network, module, link or serve; see --help")
    return 0


def _measure_link(where: str, name: str, path: Path, command: str) -> None:
    from tiergym.calibration.measuring.profiles import link_record, write_link
    from tiergym.calibration.measuring.sockets import measure_link

    found = measure_link(where)
    print(
        f"link to {where}: round trip {found.rtt * 1e3:.3g} ms, {found.per_package * 1e3:.3g} ms a "
        f"package, {found.up_mbps:.4g} Mbit/s up, {found.down_mbps:.4g} down; "
        f"mean error of the line {found.error:.1%}"
    )
    file = path.with_name(f"{path.stem}-link.yaml")
    write_link(file, link_record(name, found, command))
    print(f"written to {file}")


def _measure_device(given: Mapping[str, object], name: str, path: Path, command: str) -> None:
    import torch

    from tiergym.calibration.measuring.measure import measure
    from tiergym.calibration.measuring.profiles import device_record, write_device

    torch.set_num_threads(integer("threads", given.get("threads", 1), "threads", low=1))
    sizes = _sizes("batch_sizes", given.get("batch_sizes", [1, 2, 4, 8, 16]))
    if sizes[:1] != [1]:
        raise InvalidInput("batch_sizes", sizes, "rising whole numbers, the first of them 1")
    held_out = _sizes("held_out", given.get("held_out", [3, 6, 12]))
    held_out = [size for size in held_out if size not in sizes and size < sizes[-1]]
    repeats = integer("repeats", given.get("repeats", 15), "repeats", low=3)
    found: list[Measured] = []
    for subject in _subjects(given):
        found.append(measure(subject, sizes, held_out, repeats, _progress))
        _show(found[-1])
    write_device(path, device_record(name, found, command))
    print(f"written to {path}")


def _subjects(given: Mapping[str, object]) -> list[Subject]:
    from tiergym.calibration.measuring.subjects import own_subject, shipped_subject

    found: list[Subject] = []
    if "network" in given:
        names = text("network", given["network"]).split(",")
        found += [shipped_subject(name.strip()) for name in names]
    if "module" in given:
        found.append(own_subject(text("module", given["module"])))
    return found


def _sizes(field: str, value: object) -> list[int]:
    given = value.split(",") if isinstance(value, str) else value
    rows = [given] if isinstance(given, int) else sequence(field, cast(object, given), "numbers")
    sizes = [
        integer(f"{field}[{k}]", int(str(row)) if str(row).isdigit() else row, "tasks", low=1)
        for k, row in enumerate(rows)
    ]
    if sorted(set(sizes)) != sizes:
        raise InvalidInput(field, sizes, "rising whole numbers")
    return sizes


def _progress(line: str) -> None:
    end = "\r" if sys.stderr.isatty() else "\n"
    print(line, end=end, file=sys.stderr, flush=True)


def _show(found: Measured) -> None:
    errors, noise = found.errors, found.noise
    print(f"\n{found.subject.name} ({found.subject.about})")
    titles = (("base", 10), ("blocks", 11), ("a head", 10), ("whole", 10), ("a task", 9))
    print(f"{'batch':>6}" + "".join(f"{title:>{width}}" for title, width in titles) + "  (ms)")
    for batch, parts in sorted(found.parts.items()):
        whole = parts.base + float(parts.blocks.sum()) + parts.heads[len(parts.blocks)]
        mean = sum(parts.heads.values()) / len(parts.heads)
        print(
            f"{batch:>6}{parts.base * 1e3:>10.3f}{float(parts.blocks.sum()) * 1e3:>11.3f}"
            f"{mean * 1e3:>10.3f}{whole * 1e3:>10.3f}{whole / batch * 1e3:>9.3f}"
        )
    print(
        f"  mean errors: stages fitted {errors.fitted:.1%}, whole network {errors.whole:.1%}, "
        f"cut {found.cut} left out {errors.cut:.1%}, batch sizes left out {errors.batches:.1%}"
    )
    print(
        f"  jitter cv {found.jitter_cv:.3f} ({found.jitter_cv_all:.3f} with outliers), parameters "
        f"load at {found.load_rate / 1e6:.4g} MB/s"
    )
    print(
        f"  noise: quartile range {noise.spread:.1%}, drift {noise.drift:+.1%}, load average "
        f"{noise.load_average:.2f}, others {noise.others:.0%}, steal {noise.steal:.1%}"
    )
    print(
        f"  outliers: {noise.outliers:.1%} of repeats, {noise.outlier_ratio:.2f} times as long as "
        f"usual; {noise.outliers_switched:.0%} of them while the process was off its core, "
        f"{noise.outliers_in_bursts:.0%} right after another; mean {noise.mean_ratio:.3f} medians"
    )
    for complaint in found.complaints():
        print(f"  WARNING, noisy machine: {complaint}; measure again when it is quiet")


if __name__ == "__main__":
    sys.exit(main())
