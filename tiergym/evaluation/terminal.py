"""What the commands print: progress, the leaderboard's table, claims and failures (needs rich)."""

from __future__ import annotations

import math
import time
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column as TableColumn
from rich.table import Table
from rich.text import Text

from tiergym.evaluation.jobs import Failure, Job, Outcome
from tiergym.evaluation.results import Results, Score
from tiergym.evaluation.runner import Told
from tiergym.evaluation.summary import (
    COLUMNS,
    Column,
    columns_of,
    decision_seconds,
    number_text,
    row_of,
    seconds_text,
)
from tiergym.evaluation.verdicts import Claim

NARROW = ("mean_delay", "p99_delay", "late_share", "throughput", "pre_uploaded_share", "accuracy")
"""Columns of the terminal's table; the page has all."""

_FIRST, _EACH = 58, 10
"""Characters that names, scores and decision times need, and each further column."""

_EVERY = 0.05
"""Share of the episodes between two lines of progress where there is no terminal."""


@contextmanager
def progress(console: Console, jobs: Sequence[Job]) -> Generator[Told]:
    """Show how many episodes are played: a bar on a terminal, now and then a line in a log."""
    total = sum(len(job.seeds) for job in jobs)
    if not console.is_terminal:
        yield _Lines(console, total)
        return
    bar = Progress(
        BarColumn(24),
        MofNCompleteColumn(),
        TextColumn("episodes,"),
        TimeRemainingColumn(),
        TextColumn("left;"),
        TextColumn("{task.description}", table_column=TableColumn(ratio=1, no_wrap=True)),
        console=console,
        transient=True,
        expand=True,
    )
    with bar:
        task = bar.add_task("starting", total=total)

        def told(job: Job, outcome: Outcome) -> None:
            bar.update(task, advance=len(job.seeds), description=str(job))

        yield told


class _Lines:
    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._played = 0
        self._next = 0.0
        self._began = time.perf_counter()

    def __call__(self, job: Job, outcome: Outcome) -> None:
        self._played += len(job.seeds)
        share = self._played / self._total
        if share >= self._next:
            self._next = share + _EVERY
            seconds = time.perf_counter() - self._began
            line = f"{self._played}/{self._total} episodes after {seconds:.0f} s, last: {job}"
            self._console.print(line, highlight=False, soft_wrap=True)


def score_table(results: Results, scores: Sequence[Score], folder: Path, width: int) -> Table:
    """The leaderboard as a table: policies that see what is hidden stand apart at its end.

    Args:
        width: characters a line; columns that do not fit are left out.
    """
    room = max(2, (width - _FIRST) // _EACH)
    shown = tuple(c for c in columns_of(results) if c.metric in NARROW)[:room]
    table = Table(title=_title(results), title_justify="left", box=None, pad_edge=False)
    table.add_column("policy", no_wrap=True)
    table.add_column("score [95 %]", justify="right", no_wrap=True)
    for column in shown:
        table.add_column(column.title, justify="right", no_wrap=True)
    table.add_column("a decision", justify="right", no_wrap=True)
    for apart in (False, True):
        group = [score for score in scores if score.privileged == apart]
        if apart and group:
            table.add_section()
        for score in group:
            table.add_row(*_cells(results, score, shown, folder))
    return table


def _title(results: Results) -> str:
    suite = results.suite
    return (
        f"{suite.name} version {suite.version}: cost over that of {suite.reference} on the same "
        f"{suite.seeds} instances of each of {len(results.scored)} scenarios; below 1 is better"
    )


def _cells(
    results: Results, score: Score, shown: tuple[Column, ...], folder: Path
) -> list[Text | str]:
    values = row_of(results, score.policy, shown).values
    name = score.policy + (" (sees what is hidden)" if score.privileged else "")
    few = results.suite.seeds_of(score.policy)
    name += f" (first {few})" if few < results.suite.seeds else ""
    name += f" ({score.missing} episodes missing)" if score.missing else ""
    texts = [column.text(value) for column, value in zip(shown, values, strict=True)]
    spent = seconds_text(decision_seconds(results, folder, score.policy))
    style = "bold" if score.policy == results.suite.reference else ""
    return [Text(name, style), score_text(score), *texts, spent]


def score_text(score: Score) -> Text:
    """A score with its interval: green where better than the reference, red where worse."""
    interval = score.interval
    if math.isnan(interval.estimate):
        return Text("no score", "dim")
    style = "green" if interval.below_one else "red" if interval.above_one else ""
    bounds = f" [{number_text(interval.low)}, {number_text(interval.high)}]"
    return Text(f"{interval.estimate:.3f}{bounds}", style)


def print_claims(console: Console, claims: Sequence[Claim]) -> None:
    """Each claim with its verdict, and the sentences that it rests on."""
    for claim in claims:
        console.print()
        console.print(
            Text(f"{claim.title}: {claim.verdict}" if _judged(claim) else claim.title, "bold")
        )
        for sentence in claim.sentences:
            console.print(Text(sentence))


def _judged(claim: Claim) -> bool:
    return claim.verdict != "finding"


def print_failures(console: Console, failures: Sequence[Failure], most: int = 20) -> None:
    """Every episode that failed (at most ``most`` of them in words), and one trace in full."""
    console.print()
    console.print(Text(f"{len(failures)} episodes failed; all others are recorded:", "bold red"))
    for failure in failures[:most]:
        console.print(Text(f"  {failure}"), soft_wrap=True)
    if len(failures) > most:
        console.print(f"  and {len(failures) - most} more")
    console.print(Text(f"The first of them in full:\n{failures[0].trace}", "dim"), soft_wrap=True)


def metric_table(results: Results, scene: str) -> Table:
    """All metrics of every policy in one scenario: mean over instances."""
    table = Table(title=f"{scene}: means over instances", title_justify="left", box=None)
    table.add_column("metric", no_wrap=True)
    for policy in results.policies:
        table.add_column(policy, justify="right")
    texts = {column.metric: column.text for column in COLUMNS}
    for name in _metric_names(results, scene):
        values = [float(results.values(policy, scene, name).mean()) for policy in results.policies]
        table.add_row(name, *[texts.get(name, number_text)(value) for value in values])
    return table


def _metric_names(results: Results, scene: str) -> list[str]:
    names: dict[str, None] = {}
    for policy in results.policies:
        for record in results.records.get((policy, scene), {}).values():
            names.update(dict.fromkeys(record["metrics"]))
    return list(names)
