"""What every table of a configuration file is made of."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from node.icd import NAME_PATTERN

Ratio = Annotated[float, Meta(ge=0, le=1)]
Angle180 = Annotated[float, Meta(ge=-180, le=360)]
Seconds = Annotated[float, Meta(ge=0, le=3.2e8)]
PositiveSeconds = Annotated[float, Meta(gt=0, le=3.2e8)]
Watts = Annotated[float, Meta(ge=0, le=1e6)]
Celsius = Annotated[float, Meta(ge=-200, le=400)]
Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Vector = tuple[
    Annotated[float, Meta(ge=-1, le=1)],
    Annotated[float, Meta(ge=-1, le=1)],
    Annotated[float, Meta(ge=-1, le=1)],
]


class Section(Struct, frozen=True, forbid_unknown_fields=True):
    """Base of every table: immutable, unknown keys refused."""
