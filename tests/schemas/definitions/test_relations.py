"""What a source expects of its own columns and of others' is there, and of one type."""

from pathlib import Path

import pytest

from tests.support.tiny_language import FILES, read, told

PRODUCTS = (
    "source: products\nkind: lookup\nfrom: {files: data/products.csv}\nkey: product_id\ncolumns: {brand: string}\n"
)
PEOPLE = "source: others\nkind: profiles\nfrom: {files: data/others.ndjson}\nfields: {subject: id, valid_from: at}\nproperties: {size: int}\n"


def expecting(text: str) -> str:
    return FILES["sources/clicks.yaml"] + f"expect: {{{text}}}\n"


def related(column: str, to: str) -> str:
    return expecting(f"relations: [{{column: {column}, to: {to}}}]")


@pytest.mark.parametrize(
    "clicks",
    [
        expecting("unique: [event_id, page]"),
        related("subject", "others.subject"),
        related("page", "products.product_id"),
        related("amount", "products.product_id"),
        expecting('relations: [{column: subject, to: others.subject, orphans: "<= 1%"}]'),
    ],
)
def test_what_is_there_may_be_expected(tmp_path: Path, clicks: str) -> None:
    assert told(tmp_path, sources_clicks=clicks, sources_products=PRODUCTS, sources_others=PEOPLE) == []


@pytest.mark.parametrize(
    ("clicks", "code"),
    [
        (expecting("unique: [pge]"), "SEG-0304"),
        (related("pge", "others.subject"), "SEG-0304"),
        (related("page", "other.subject"), "SEG-0312"),
        (related("page", "others.sise"), "SEG-0312"),
        (related("page", "products.brand"), "SEG-0312"),
        (related("page", "others.size"), "SEG-0205"),
        (related("page", "others"), "SEG-0103"),
    ],
)
def test_what_is_not_there_or_of_another_type_is_refused(tmp_path: Path, clicks: str, code: str) -> None:
    (found,) = told(tmp_path, sources_clicks=clicks, sources_products=PRODUCTS, sources_others=PEOPLE)
    assert found.split()[0] == code


def test_an_expectation_is_no_other_meaning(tmp_path: Path) -> None:
    before = read(tmp_path / "a").meaning
    assert read(tmp_path / "b", sources_clicks=expecting("unique: [page]")).meaning == before
