"""What a target says of its warehouse beside the address, under the name of its kind."""

import re
from typing import Annotated

from pydantic import AfterValidator

from schemas.definitions.refusal import refuse, show
from schemas.definitions.strict import Strict
from schemas.definitions.takes import takes_text

_STATE = r"^([a-z][a-z0-9+]*://\S+|[^:\s][^:]*|.*\$\{[A-Za-z_][A-Za-z0-9_]*\}.*)$"
_LOCATION = r"^[A-Za-z0-9-]+$"


def _state(value: str) -> str:
    if re.fullmatch(_STATE, value) is None:
        raise refuse("SEG-0417", "no place for states", expected="gs://BUCKET/FOLDER, a folder, or ${NAME}", found=show(value))
    return value


def _location(value: str) -> str:
    if re.fullmatch(_LOCATION, value) is None:
        raise refuse("SEG-0417", "no location of BigQuery", expected="as EU or europe-west3", found=show(value))
    return value


class BigQuery(Strict):
    """Beside a dataset of BigQuery.

    Attributes:
      state: where the files of the kernel's state lie: an address that Beam knows, or a folder that all who run share.
      location: where the dataset is made, if it is not there.
    """

    state: Annotated[str, AfterValidator(_state), takes_text("a place", _STATE)] = ""
    location: Annotated[str, AfterValidator(_location), takes_text("a location", _LOCATION)] = ""
