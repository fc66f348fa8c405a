"""Everything in the README that can be run is run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Block:
    """A fenced block: its language, its text and the README's line where the text begins."""

    language: str
    text: str
    line: int

    @property
    def file_name(self) -> str | None:
        """The file that a comment in the first line says it is."""
        named = re.match(r"# (\S+\.\w+)\n", self.text)
        return named[1] if named else None


def blocks() -> list[Block]:
    found = re.finditer(r"^```(\w+)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
    return [Block(m[1], m[2], TEXT.count("\n", 0, m.start(2)) + 1) for m in found]


PYTHON = [block for block in blocks() if block.language == "python"]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: f"line {block.line}")
def test_python_block_runs(
    block: Block,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for other in blocks():
        if other.file_name is not None:
            (tmp_path / other.file_name).write_text(other.text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    padded = "\n" * (block.line - 1) + block.text
    exec(compile(padded, "README.md", "exec"), {"__name__": "__main__"})
    if "print(" in block.text:
        assert capsys.readouterr().out.strip()


def test_the_ten_lines_are_ten_and_the_three_are_three() -> None:
    lines = [[line for line in b.text.splitlines() if line.strip()] for b in PYTHON]
    assert len(lines[0]) == 3
    ten = next(block for block in lines if any("rollout" in line for line in block))
    assert len(ten) == 10
    assert max(len(line) for line in ten) <= 100


def test_make_targets_named_in_the_readme_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    described = set(re.findall(r"^([a-z]+):.*## ", makefile, re.MULTILINE))
    named = set(re.findall(r"(?:^|`|cpu )make ([a-z]+)", TEXT, re.MULTILINE))
    assert {"leaderboard", "test", "lint"} <= named <= described


def test_files_and_modules_named_in_the_readme_exist() -> None:
    for name in re.findall(r"`((?:tiergym|baselines|conf|tests|\.ci)/[\w./-]*)`", TEXT):
        if not re.search(r"-v\d+$", name):
            assert (ROOT / name).exists(), name
    for module in re.findall(r"python -m ([\w.]+)", TEXT):
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module
