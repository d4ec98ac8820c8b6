"""Everything this package raises on purpose. Each class has a published code that is never renamed."""

from __future__ import annotations

from typing import ClassVar


class RingmatchError(Exception):
    """Base of all errors of this package."""

    code: ClassVar[str] = "ringmatch.error"


class Undecodable(RingmatchError):
    """The bytes are not a picture of a known format, or the picture is damaged or cut off."""

    code = "ringmatch.undecodable"


class TooLarge(RingmatchError):
    """The file, its pixels or the list exceed a limit. Found out before anything is decoded."""

    code = "ringmatch.too_large"


class BadShape(RingmatchError, ValueError):
    """An array has another shape or type of number than asked for."""

    code = "ringmatch.bad_shape"


class DistanceTooWide(RingmatchError, ValueError):
    """max_distance is not within 0 to 31, the range in which the index is exact."""

    code = "ringmatch.distance_too_wide"


class DamagedIndex(RingmatchError):
    """The file is not an index, or its bytes are not those that were written."""

    code = "ringmatch.damaged_index"
