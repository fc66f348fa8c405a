from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[2] / "tiergym" / "evaluation"
FILES = sorted(PACKAGE.rglob("*.py"))


def modules() -> list[str]:
    names = [".".join(path.relative_to(PACKAGE.parents[1]).with_suffix("").parts) for path in FILES]
    return [name.removesuffix(".__init__") for name in names]


def test_the_evaluation_needs_neither_hydra_nor_torch_nor_rich() -> None:
    chosen = [name for name in modules() if not name.endswith("terminal")]
    lines = [f"import {name}" for name in chosen]
    heavy = ["hydra", "omegaconf", "torch", "stable_baselines3", "rich", "matplotlib", "baselines"]
    lines.append(f"import sys; print([name for name in {heavy} if name in sys.modules])")
    done = subprocess.run(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=PACKAGE.parents[1],
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_imports_point_upward() -> None:
    for path in FILES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                named = [node.module or ""]
            for name in named:
                low = ("baselines", "tiergym.calibration", "tiergym.testing")
                assert not name.startswith(low), f"{path}: {name}"
