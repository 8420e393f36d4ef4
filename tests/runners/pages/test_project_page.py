"""The project of docs/project.md is one."""

import re
from pathlib import Path

from runners.answers.telling import program_of, tell
from schemas.definitions.catalog import read_project
from tests.support.worlds import language

PAGE = Path(__file__).parents[3] / "docs" / "project.md"
FILES = re.findall(r"^```yaml\n# ([\w/]+\.yaml).*?\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)


def test_every_file_is_what_its_kind_of_file_may_be_and_they_fit_together(tmp_path: Path) -> None:
    for name, text in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "products.csv").write_text("category,margin\nbooks,0.10\n")
    project = read_project(tmp_path, language())
    assert ({*project.sources}, {*project.segments}) == ({"orders", "products", "people", "ledger"}, {"regulars"})
    assert {one.code for one in project.warnings} == {"SEG-0801", "SEG-0802"}, "files that are not there, and what nothing uses"
    (story,) = project.segments["regulars"].tests
    answers = tell(program_of(project, "regulars"), project.segments["regulars"], story)
    assert answers and all(one.right for one in answers)
