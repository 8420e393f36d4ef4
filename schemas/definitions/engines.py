"""The options of what runs streams, as a target says them under the name of its runner."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StrictInt

from schemas.definitions.duration import SECOND, Duration, parse_duration
from schemas.definitions.refusal import refuse, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import takes_text

ADDRESS = r"[^\s,/]+:[0-9]{1,5}"
"""Where something listens."""
LOCAL = "[local]"
"""The master of a Flink that the job server has within itself."""
_VARIABLE = r".*\$\{[A-Za-z_][A-Za-z0-9_]*\}.*"
_SHORTEST, _LONGEST = 2 * SECOND, 10 * SECOND


def _text(rule: str, expected: str) -> Any:
    """A text that fits the rule, or has variables in it that are filled when it is needed."""
    allowed = f"^({rule}|{_VARIABLE})$"

    def read(value: str) -> str:
        if re.fullmatch(allowed, value) is None:
            raise refuse("SEG-0416", "no address of a runner", expected=expected, found=show(value))
        return value

    return Annotated[str, AfterValidator(read), takes_text(expected, allowed)]


def _checkpoint(length: int) -> int:
    if not _SHORTEST <= length <= _LONGEST:
        raise refuse("SEG-0116", "checkpoints too seldom or too often", expected="2s to 10s", found=f"{length // SECOND}s")
    return length


Address = _text(ADDRESS, "host:port, or ${NAME}")


class Prism(Strict):
    """Prism. Without an address of it, a stream begins one beside itself.

    Attributes:
      job_endpoint: where a job server of Prism listens.
      workers: where a pool of workers listens, as Prism reaches it; without, workers are the launcher's, or a pool of its own.
      processes: over so many of them the stages are spread.
      readers: over so many of them the files and partitions of sources are spread.
    """

    job_endpoint: Address = ""  # type: ignore[valid-type]
    workers: Address = ""  # type: ignore[valid-type]
    processes: Annotated[StrictInt, Field(ge=1, le=3)] = 1
    readers: Annotated[StrictInt, Field(ge=1, le=64)] = 1


class Flink(Strict):
    """A cluster of Flink, or one within the job server.

    Attributes:
      master: where its REST interface listens.
      job_endpoint: where a job server of Beam listens; without, Beam fetches one and begins it with Java.
      version: of Flink.
      workers: where a pool listens on each machine of the cluster; without, each begins `segue-worker` by itself.
      checkpoints: the folder of checkpoints, as a URI.
      bundle: elements of a bundle; an element holds many records.
    """

    master: _text(rf"(https?://)?{ADDRESS}|\[local\]", "host:port, [local] or ${NAME}") = LOCAL  # type: ignore[valid-type]
    job_endpoint: Address = ""  # type: ignore[valid-type]
    version: Literal["1.19", "1.20", "2.0", "2.1", "2.2"] = "2.2"
    workers: Address = ""  # type: ignore[valid-type]
    parallelism: Annotated[StrictInt, Field(ge=1, le=1024)] = 1
    checkpoint_every: Annotated[Duration, AfterValidator(_checkpoint)] = parse_duration("5s")
    checkpoints: _text(r"[a-z0-9]+://\S+", "a URI, as file:///var/checkpoints, or ${NAME}") = ""  # type: ignore[valid-type]
    bundle: Annotated[StrictInt, Field(ge=50, le=200)] = 100
