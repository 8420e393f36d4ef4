"""The questions of docs/tables.md, asked of sixty households of the grocer."""

import shutil
from pathlib import Path

import pytest

from runners.warehouses.questions import QUESTIONS, Question
from tests.support.command_line import asked, segue
from tests.support.grocer import Households

NOTHING_TO_TELL = ("What was set aside", "What was emitted before")
"""Of what these data have none."""


@pytest.fixture(scope="module")
def project(households: Households, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a segment that no run has put in force, and its past."""
    folder = tmp_path_factory.mktemp("asked") / "project"
    shutil.copytree(households.root, folder)
    (folder / "segments" / "frequent.yaml").write_text(FREQUENT)
    segue(folder, "backfill", "--from", "2017-11-01", "--to", "2018-01-01")
    return folder


FREQUENT = """
segment: frequent
purpose: analytics
when: {did: {event: purchase, count: ">= 20", window: 30d}}
"""


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda one: one.words)
def test_every_question_is_answered(project: Path, question: Question) -> None:
    rows = asked(project, question.sql)
    assert bool(rows) is not question.words.startswith(NOTHING_TO_TELL)
