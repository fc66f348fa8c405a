"""``python -m baselines.claims``: what of the thesis reproduces, with the evidence.

The training schemes are judged from the exit tables that the package ships, the greedy search over
thousands of drawn conditions; what a leaderboard run found (``make leaderboard``) is repeated from
the ``claims.json`` beside its records.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from baselines.exit_placement.suboptimality import main as show_placements
from tiergym.calibration.comparison.__main__ import main as show_schemes

RESULTS = Path("results")


def main() -> int:
    """Print every claim; 0 if all went well."""
    code = show_schemes([])
    print("\nPlacing exits by the greedy search")
    code |= show_placements([])
    found = sorted(RESULTS.glob("*/claims.json"))
    for path in found:
        print(f"\n{path.parent.name}")
        _show(json.loads(path.read_text(encoding="utf-8")))
    if not found:
        print("\nOf the schedulers: run `make leaderboard`, which judges their claims.")
    return code


def _show(claims: list[dict[str, Any]]) -> None:
    for claim in claims:
        print(f"\n  {claim['title']}: {claim['verdict']}")
        for sentence in claim["sentences"]:
            print(f"    {sentence}")


if __name__ == "__main__":
    sys.exit(main())
