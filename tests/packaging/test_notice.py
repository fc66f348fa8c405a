"""The notice names every data file that is shipped, with the licence that the file states."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tiergym.fields import read_yaml

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "tiergym"
TEXT = (PACKAGE / "NOTICE.md").read_text(encoding="utf-8")
LINES = [line for line in TEXT.splitlines() if line.startswith("| ") and "`" in line]
ROWS = [line.strip("| ").split(" | ") for line in LINES]
FOLDERS = [
    *(f"{name}/data" for name in ("calibration", "devices", "links", "networks", "workload")),
    "links/sites",
    "workload/series",
]
FILES = [
    path.relative_to(PACKAGE).as_posix()
    for folder in FOLDERS
    for path in sorted((PACKAGE / folder).iterdir())
]


def licences(file: str) -> list[str]:
    """What the rows that name a file say of its licence."""
    return [row[-1] for row in ROWS if any(fnmatch(file, p) for p in re.findall("`(.*?)`", row[0]))]


@pytest.mark.parametrize("file", FILES)
def test_every_data_file_is_named_with_its_licence(file: str) -> None:
    named = licences(file)
    assert named
    record = read_yaml(PACKAGE / file) if file.endswith(".yaml") else {}
    assert isinstance(record, dict)
    stated = record.get("source", {}).get("licence")
    if stated:
        short = re.split("[, ]", stated)[0]
        assert any(licence.startswith(short) for licence in named)


def test_traces_and_trained_networks_are_credited() -> None:
    assert licences("workload/data/azure-code-a.npz") == ["CC-BY-4.0, Microsoft Corporation"]
    trained = [row for row in ROWS if any("networks/data/*.npz" in cell for cell in row)]
    assert len(trained) == 1
    assert "CIFAR-10" in trained[0][1]
    for whom in ("Patel et al.", "Krizhevsky", "University of Washington", "Tencent", "Narayanan"):
        assert whom in TEXT


def test_there_is_one_notice_and_others_refer_to_it() -> None:
    assert [path.name for path in PACKAGE.glob("NOTICE*")] == ["NOTICE.md"]
    for name in ("README.md", "pyproject.toml"):
        found = re.findall(r"tiergym/NOTICE[\w.]*", (ROOT / name).read_text(encoding="utf-8"))
        assert found == ["tiergym/NOTICE.md"]
