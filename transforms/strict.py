"""One JSON object by the letter of RFC 8259: the reader for the few records on which faster ones can not be trusted."""

import json

from schemas.record import DEEPEST_RECORD
from transforms.columns import MALFORMED, TOO_LARGE


def strict(record: bytes) -> bytes | int:
    """One JSON object again, with numbers as text; the code of a reason where it is none by RFC 8259, or too deep."""

    def refuse(word: str) -> None:
        raise ValueError(word)

    def number(word: str) -> str:
        if word.lstrip("-").rstrip("0123456789") and float(word) in (float("inf"), float("-inf")):
            raise ValueError
        return word

    def unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
        found = dict(pairs)
        if len(found) < len(pairs):
            raise ValueError
        return found

    try:
        text = record.decode("utf-8")
        value = json.loads(text, object_pairs_hook=unique, parse_constant=refuse, parse_float=number, parse_int=str)
        written = json.dumps(value, ensure_ascii=False).encode("utf-8") if isinstance(value, dict) else b""
    except RecursionError:
        return TOO_LARGE
    except ValueError:
        return MALFORMED
    if not written or b"\\u0000" in written:
        return MALFORMED
    return written if _depth(value) <= DEEPEST_RECORD else TOO_LARGE


def _depth(value: object) -> int:
    deepest, open_values = 0, [(value, 1)]
    while open_values:
        one, depth = open_values.pop()
        if isinstance(one, dict | list):
            deepest = max(deepest, depth)
            open_values += [(part, depth + 1) for part in (one.values() if isinstance(one, dict) else one)]
    return deepest
