"""The examples that come with Segue."""

from pathlib import Path

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"


def is_example(root: Path) -> bool:
    """Whether a project is one of them, where it lies: its data are nobody's secret."""
    return root.resolve().is_relative_to(EXAMPLES)
