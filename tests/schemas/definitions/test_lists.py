from pathlib import Path

import pytest

from tests.support.tiny_language import FILES, problems, read, segment, told, write

WHEN = "{list: {file: lists/vip.csv, column: subject}}"


def project(folder: Path, content: bytes | None) -> Path:
    write(folder, segments_new=segment(WHEN))
    if content is not None:
        (folder / "lists").mkdir(exist_ok=True)
        (folder / "lists" / "vip.csv").write_bytes(content)
    return folder


def ids(folder: Path, content: bytes, **files: str) -> list[str]:
    return (
        read(project(folder, content), segments_new=segment(WHEN), **files)
        .lists["lists/vip.csv", "subject"]
        .to_pylist()
    )


def test_the_ids_of_a_column_are_a_set(tmp_path: Path) -> None:
    assert ids(tmp_path, b"name,subject\nAnn,u2\nBob,u1\nAnn,u2\nEve,\n") == ["u1", "u2"]


def test_ids_stay_text_whatever_they_look_like(tmp_path: Path) -> None:
    assert ids(tmp_path, b"\xef\xbb\xbfsubject\r\n007\r\n1e3\r\nNA\r\ntrue\r\n") == ["007", "1e3", "NA", "true"]


def test_ids_are_made_equal_as_the_sources_make_them(tmp_path: Path) -> None:
    clicks = FILES["sources/clicks.yaml"] + "normalise: {subject: [trim, lower]}\n"
    assert ids(tmp_path, b"subject\n Ann \n", sources_clicks=clicks) == [" Ann ", "ann"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "SEG-0402"),
        (b"", "SEG-0409"),
        (b"subjct\nx\n", "SEG-0409"),
        (b"subject\n\xff\xfe\n", "SEG-0001"),
        (b"subject,b\nx\ny,z,z\n", "SEG-0001"),
    ],
)
def test_a_list_that_can_not_be_read_is_told_where_it_is_named(tmp_path: Path, content: bytes | None, code: str) -> None:
    assert told(project(tmp_path, content)) == [f"{code} 3:21"]


def test_the_nearest_column_is_proposed(tmp_path: Path) -> None:
    assert problems(project(tmp_path, b"subjct\nx\n"))[0].nearest == "subjct"


@pytest.mark.parametrize("path", ["../vip.csv", "/etc/passwd", "lists/../../x"])
def test_a_list_lies_inside_the_project(tmp_path: Path, path: str) -> None:
    when = segment(f"{{list: {{file: '{path}', column: subject}}}}")
    assert [one.code for one in problems(tmp_path, segments_new=when)] == ["SEG-0401"]


def test_a_linked_list_is_not_followed(tmp_path: Path) -> None:
    project(tmp_path / "shop", b"subject\n")
    (tmp_path / "secret.csv").write_text("subject\nx\n")
    (tmp_path / "shop" / "lists" / "vip.csv").unlink()
    (tmp_path / "shop" / "lists" / "vip.csv").symlink_to(tmp_path / "secret.csv")
    assert [one.code for one in problems(tmp_path / "shop", segments_new=segment(WHEN))] == ["SEG-0403"]
