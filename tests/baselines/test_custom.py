"""Policies of the user's own, imported by name."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from baselines import make_policy
from tiergym.errors import InvalidInput

ENV: Any = SimpleNamespace(unwrapped=None, spec=None)
TAKES = """
class Plain:
    def __init__(self, depth=1):
        self.given = depth

    def predict(self, *args, **kwargs):
        raise NotImplementedError

def factory(env, depth):
    return Plain((env, depth))

def wrong():
    return 3

limit = 3
"""


@pytest.fixture
def module(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    (tmp_path / "takes_for_tests.py").write_text(TAKES)
    monkeypatch.syspath_prepend(tmp_path)
    return "takes_for_tests"


def test_a_class_takes_options_and_a_factory_the_environment_too(module: str) -> None:
    first: Any = make_policy(f"{module}:Plain", ENV, depth=4)
    second: Any = make_policy(f"{module}:factory", ENV, depth=5)
    assert first.given == 4
    assert second.given == (ENV, 5)


@pytest.mark.parametrize(
    ("name", "options", "told"),
    [
        ("nowhere_at_all:Plain", {}, r"policy\.name.*ModuleNotFoundError"),
        ("takes_for_tests:plain", {}, r"policy\.name.*did you mean 'Plain'"),
        ("takes_for_tests:limit", {}, r"policy\.name.*class or function"),
        ("takes_for_tests:wrong", {}, r"policy\.name.*predict"),
        ("takes_for_tests:Plain", {"dept": 1}, r"policy\.options.*depth=1.*'dept'"),
        ("takes_for_tests:factory", {}, r"policy\.options.*depth"),
    ],
)
def test_errors_name_the_field(module: str, name: str, options: Any, told: str) -> None:
    with pytest.raises(InvalidInput, match=told):
        make_policy(name, ENV, **options)
