"""Everything this package raises on purpose. Each class has a published code that is never renamed."""

from __future__ import annotations

from typing import ClassVar


class RingmatchError(Exception):
    """Base of all errors of this package."""

    code: ClassVar[str] = "ringmatch.error"


class Undecodable(RingmatchError):
    """The bytes are not a picture of a known format, or the picture is damaged or cut off."""

    code = "ringmatch.undecodable"


class NoVideoStream(Undecodable):
    """The file is one of the known containers, but holds no picture that moves (sound only, say)."""

    code = "ringmatch.no_video_stream"


class TooSlow(RingmatchError):
    """Decoding took longer than it may."""

    code = "ringmatch.too_slow"


class TooLarge(RingmatchError):
    """The file, its pixels, its length in time or the list exceed a limit. Found out before that much is decoded."""

    code = "ringmatch.too_large"


class BadShape(RingmatchError, ValueError):
    """An array has another shape or type of number than asked for."""

    code = "ringmatch.bad_shape"


class BadFeatures(RingmatchError, ValueError):
    """A text is not the features of a video in the form that was asked for."""

    code = "ringmatch.bad_features"


class DistanceTooWide(RingmatchError, ValueError):
    """max_distance is not within 0 to 31, the range in which the index is exact."""

    code = "ringmatch.distance_too_wide"


class DamagedIndex(RingmatchError):
    """The file is not an index, or its bytes are not those that were written."""

    code = "ringmatch.damaged_index"
