"""vPDQ: PDQ hashes of the frames of a video, their two text forms, and matching and searching videos by them.

Method, names and defaults are those of vPDQ in ThreatExchange (vpdq/README.md and the extension `vpdq` of python-threatexchange).
Reading video files needs the extra "video" (PyAV, which brings FFmpeg); everything else here does not.
"""

from __future__ import annotations

import io
import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple, NoReturn

import numpy as np
from numpy.typing import NDArray

from ringmatch.errors import BadFeatures, NoVideoStream, RingmatchError, TooLarge, TooSlow, Undecodable
from ringmatch.hashing import MAX_PIXELS, pdq
from ringmatch.index import MAX_DISTANCE, Index

if TYPE_CHECKING:
    from av.container import InputContainer
    from av.packet import Packet
    from av.video.frame import VideoFrame
    from av.video.stream import VideoStream

MIN_QUALITY = 50
MAX_BYTES = 2 * 2**30
MAX_SECONDS = 4 * 60 * 60.0
MAX_FRAMES = 1_000_000
TIME_LIMIT_SECONDS = 600.0

# FFmpeg knows several hundred formats and decoders, some of which open further files or addresses, and most of which
# nobody has exchanged video in for decades. These are the ones that people do exchange.
_CONTAINERS = (
    "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,flv,mpegts,mpeg,mpegvideo,m4v,h264,hevc,asf,ogg,gif,apng,ivf,dv,mxf"
)
_DECODERS = (
    "h264,hevc,vp8,vp9,libdav1d,av1,mpeg4,mpeg2video,mpeg1video,h263,h263i,h261,flv,vp6,vp6f,msmpeg4,msmpeg4v1,msmpeg4v2,"
    "wmv1,wmv2,wmv3,vc1,theora,mjpeg,prores,dnxhd,dvvideo,gif,apng,png,rawvideo,ffv1,huffyuv,ffvhuff,svq1,svq3,cinepak"
)
# No video is faster. A file that claims more would otherwise have all but its first frame left out.
_MOST_FRAMES_PER_SECOND = 240
_USUAL_FRAMES_PER_SECOND = Fraction(25)
# Interlaced video has two packets a frame, and some packets carry no picture.
_PACKETS_PER_FRAME = 2
_PACKETS_WITHOUT_FRAME = 1000

# A row of a VideoIndex has the id of the video in its high bits and the number of the hash within that video in the low.
_ORDINAL_BITS = 24
MAX_VIDEO_ID = 2 ** (64 - _ORDINAL_BITS) - 1
_MOST_HASHES_PER_VIDEO = 2**_ORDINAL_BITS
_ID_SHIFT = np.uint64(_ORDINAL_BITS)
_QUERY_SHIFT = np.uint64(64 - _ORDINAL_BITS)


@dataclass(frozen=True, slots=True)
class VpdqFeature:
    """The hash of one frame of a video.

    pdq: 32 bytes, as `Pdq.hash`. quality: 0 to 100. frame_number: how many frames come before it; None when it was read
    from a form that leaves it out. timestamp: seconds from the first frame, at the average rate of the video.
    """

    pdq: bytes
    quality: int
    frame_number: int | None
    timestamp: float


class VideoMatch(NamedTuple):
    """How much two videos have in common. Source: vPDQ, `match_VPDQ_hash_brute`.

    query_percent: share of the different hashes of the query that have one within the distance in the compared video.
    compared_percent: the same the other way round. Both 0.0 to 100.0, and 0.0 when there is nothing to compare.
    """

    query_percent: float
    compared_percent: float


class FoundVideo(NamedTuple):
    """A video of an index, with both shares as in `VideoMatch`."""

    id: int
    query_percent: float
    compared_percent: float


def vpdq(
    source: bytes | bytearray | memoryview | str | os.PathLike[str],
    *,
    seconds_per_hash: float = 1.0,
    min_quality: int = 0,
    max_hashes: int | None = None,
    partial: bool = False,
    max_bytes: int = MAX_BYTES,
    max_pixels: int = MAX_PIXELS,
    max_seconds: float = MAX_SECONDS,
    max_frames: int = MAX_FRAMES,
    time_limit_seconds: float = TIME_LIMIT_SECONDS,
    threads: int = 1,
) -> list[VpdqFeature]:
    """Hash the frames of a video: one every `seconds_per_hash`, 0 for every frame.

    source: the bytes of a video file, or the path of one. Of several pictures in it, the first that is not a cover.
    seconds_per_hash: as upstream, every n-th frame is taken, n being that many seconds of frames at the average rate
    of the file, rounded down. min_quality: leave out hashes below it. max_hashes: stop after so many, which is no error.
    partial: of a damaged file return what can be decoded, instead of raising.
    max_bytes, max_pixels (of a frame) and max_seconds are checked before decoding, by what the file says of itself, and
    again as it goes; max_frames counts decoded frames. time_limit_seconds: for the whole call, looked at between packets.
    threads: of the decoder, 0 for one a core.

    Frames are hashed as they are stored: like upstream, this applies no rotation that the file asks players for.
    Raises Undecodable (not a video, damaged, cut off), NoVideoStream, TooLarge, TooSlow, ValueError for options out of
    range, OSError for a path that cannot be read, ImportError without the extra "video".
    Source: `hashVideoFile` of vPDQ.
    """
    if seconds_per_hash < 0 or threads < 0 or (max_hashes is not None and max_hashes < 1):
        raise ValueError("seconds_per_hash and threads are at least 0, max_hashes at least 1")
    deadline = time.monotonic() + time_limit_seconds
    with _opened_file(source, max_bytes) as file:
        reader = _Reader(file, deadline)
        limits = _Limits(max_pixels, max_seconds, max_frames, deadline, partial)
        features: list[VpdqFeature] = []
        try:
            with _opened_container(reader, limits, time_limit_seconds) as container:
                stream = _video_stream(container, limits)
                stream.codec_context.thread_count = threads
                stream.codec_context.options = {"max_pixels": limits.decoder_pixels}
                for feature in _hashed_frames(container, stream, seconds_per_hash, limits):
                    if feature.quality >= min_quality:
                        features.append(feature)
                    if max_hashes is not None and len(features) == max_hashes:
                        return features
        except RingmatchError:
            raise
        except Exception as error:
            _translate(error, reader)
        if not partial and _is_cut_off_matroska(file):
            raise Undecodable("the video is cut off")
        return features


@dataclass(frozen=True, slots=True)
class _Limits:
    max_pixels: int
    max_seconds: float
    max_frames: int
    deadline: float
    partial: bool

    @property
    def decoder_pixels(self) -> str:
        """What FFmpeg is told. It counts the blocks that a picture is coded in, which reach over its edges."""
        return str(min(2 * self.max_pixels + 2**18, 2**31 - 1))


class _OutOfTime(OSError):
    pass


class _Reader:
    """A file for FFmpeg to read, until the time is over: a few bytes can send it back and forth in a file for hours."""

    def __init__(self, file: BinaryIO, deadline: float) -> None:
        self._file = file
        self._deadline = deadline
        self.late = False

    def read(self, size: int) -> bytes:
        if time.monotonic() > self._deadline:
            self.late = True
            raise _OutOfTime
        return self._file.read(size)

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()


def _opened_file(source: bytes | bytearray | memoryview | str | os.PathLike[str], max_bytes: int) -> BinaryIO:
    if isinstance(source, (bytes, bytearray, memoryview)):
        _refuse_heavy(len(source), max_bytes)
        return io.BytesIO(source)
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"source must be bytes or a path, not {type(source).__name__}")
    # Opened here and not by FFmpeg, to which a name can also be an address or a list of other files.
    file = Path(source).open("rb")  # noqa: SIM115 (the caller closes it)
    try:
        _refuse_heavy(os.fstat(file.fileno()).st_size, max_bytes)
    except TooLarge:
        file.close()
        raise
    return file


def _refuse_heavy(size: int, max_bytes: int) -> None:
    if size > max_bytes:
        raise TooLarge(f"the file has {size} bytes; the limit is {max_bytes}")


def _opened_container(reader: _Reader, limits: _Limits, time_limit_seconds: float) -> InputContainer:
    import av

    options = {
        "format_whitelist": _CONTAINERS,
        # Sound is not decoded: what is not looked at cannot do harm.
        "codec_whitelist": _DECODERS,
        "protocol_whitelist": "none",
        "max_streams": "100",
        # FFmpeg decodes a little to find out what is in the file, before anybody could look at the size.
        "max_pixels": limits.decoder_pixels,
        "threads": "1",
    }
    return av.open(reader, "r", options=options, io_open=_refuse_opening, timeout=time_limit_seconds)


def _refuse_opening(url: str, flags: int, options: dict[str, str]) -> NoReturn:
    raise PermissionError("a video may not open other files")


def _video_stream(container: InputContainer, limits: _Limits) -> VideoStream:
    import av

    streams = container.streams.video
    if not streams:
        raise NoVideoStream("the file has no video")
    covers = av.stream.Disposition.attached_pic
    stream = next((candidate for candidate in streams if not candidate.disposition & covers), streams[0])
    if stream.codec_context is None or stream.codec_context.name not in _DECODERS.split(","):
        raise Undecodable("the video is coded in a way that is not read")
    _refuse_large(stream.codec_context.width, stream.codec_context.height, limits)
    declared = [container.duration / av.time_base if container.duration else 0.0]
    if stream.duration and stream.time_base:
        declared.append(float(stream.duration * stream.time_base))
    if max(declared) > limits.max_seconds:
        raise TooLarge(f"the video says it lasts {max(declared):.0f} seconds; the limit is {limits.max_seconds:.0f}")
    return stream


def _refuse_large(width: int, height: int, limits: _Limits) -> None:
    if width * height > limits.max_pixels:
        raise TooLarge(f"the video has {width} x {height} pixels; the limit is {limits.max_pixels}")


def _hashed_frames(
    container: InputContainer, stream: VideoStream, seconds_per_hash: float, limits: _Limits
) -> Iterator[VpdqFeature]:
    rate = stream.average_rate or stream.base_rate or stream.guessed_rate or _USUAL_FRAMES_PER_SECOND
    step = max(1, int(seconds_per_hash * min(float(rate), _MOST_FRAMES_PER_SECOND)))
    for number, frame in enumerate(_decoded_frames(container, stream, limits)):
        seconds = number / float(rate)
        if number >= limits.max_frames or seconds > limits.max_seconds:
            raise TooLarge("the video has more frames, or lasts longer, than the limits allow")
        _refuse_large(frame.width, frame.height, limits)
        if number % step == 0:
            # In colour, as upstream: luma alone would be a few bits off where colours are clipped, and next to decoding
            # a second of frames the conversion of one costs little.
            found = pdq(np.asarray(frame.to_ndarray(format="rgb24"), np.uint8))
            yield VpdqFeature(found.hash, found.quality, number, seconds)


def _decoded_frames(container: InputContainer, stream: VideoStream, limits: _Limits) -> Iterator[VideoFrame]:
    import av

    any_frame = False
    refused: Exception | None = None
    most_packets = _PACKETS_PER_FRAME * limits.max_frames + _PACKETS_WITHOUT_FRAME
    for count, packet in enumerate(_packets(container, stream, limits)):
        if time.monotonic() > limits.deadline:
            raise TooSlow("decoding the video takes too long")
        if count >= most_packets:
            raise TooLarge("the video has more packets than the limit on frames allows")
        if packet.is_corrupt and not limits.partial:
            raise Undecodable("the video is damaged or cut off")
        try:
            frames = packet.decode()
        except (av.error.FFmpegError, ValueError) as error:
            if not limits.partial:
                raise
            refused = error
            continue
        for frame in frames:
            any_frame = True
            yield frame
    if not any_frame:
        raise Undecodable("the video has no frame that can be decoded") from refused


def _packets(container: InputContainer, stream: VideoStream, limits: _Limits) -> Iterator[Packet[VideoStream]]:
    import av

    try:
        yield from container.demux(stream)
    except av.error.FFmpegError:
        # A damaged container ends here, and the frames before it are worth having.
        if not limits.partial or time.monotonic() > limits.deadline:
            raise


def _translate(error: Exception, reader: _Reader) -> NoReturn:
    import av

    if reader.late or isinstance(error, (_OutOfTime, av.error.ExitError)):
        raise TooSlow("reading the video takes too long") from error
    if isinstance(error, av.error.MemoryError):
        # FFmpeg's own word for a header that asks for more than it or this process may have.
        raise TooLarge("the video asks for more memory than there is") from error
    if isinstance(error, (av.error.FFmpegError, ValueError, PermissionError, UnicodeError, OverflowError)):
        raise Undecodable("the bytes are not a complete video of a known format") from error
    raise error


def _is_cut_off_matroska(file: BinaryIO) -> bool:
    """FFmpeg takes a Matroska or WebM file that ends in the middle for a shorter one. Its header says how long it is."""
    file.seek(0)
    head = file.read(4096)
    if head[:4] != b"\x1a\x45\xdf\xa3":
        return False
    segment = head.find(b"\x18\x53\x80\x67")
    if segment < 0 or segment + 12 > len(head):
        return False
    length = 9 - head[segment + 4].bit_length()
    size = int.from_bytes(head[segment + 4 : segment + 4 + length]) & (2 ** (7 * length) - 1)
    # All ones: written as it was recorded, of unknown length.
    known: bool = size != 2 ** (7 * length) - 1
    return known and segment + 4 + length + size > file.seek(0, io.SEEK_END)


def match_videos(
    query: Iterable[VpdqFeature],
    compared: Iterable[VpdqFeature],
    *,
    max_distance: int = MAX_DISTANCE,
    min_quality: int = MIN_QUALITY,
) -> VideoMatch:
    """Say how much of each of two videos is in the other. Order and times of the frames do not count.

    Hashes below min_quality are left out on both sides, then repeated ones. Raises DistanceTooWide outside 0 to 31.
    python-threatexchange calls it a match from 80 per cent of the query, whatever the share of the compared video.
    """
    ours, theirs = _distinct_hashes(query, min_quality), _distinct_hashes(compared, min_quality)
    found = Index.build(theirs, np.arange(len(theirs), dtype=np.uint64)).search(ours, max_distance)
    return VideoMatch(_percent(len(np.unique(found.query)), len(ours)), _percent(len(np.unique(found.id)), len(theirs)))


class VideoIndex:
    """Videos by the hashes of their frames. Searched and changed as an `Index` is, which holds the hashes."""

    def __init__(self, index: Index, min_quality: int = MIN_QUALITY) -> None:
        """Not for callers: use `build` or `open`."""
        self._index = index
        self._min_quality = min_quality
        self._hash_counts: dict[int, int] = {}

    @classmethod
    def build(
        cls,
        videos: Mapping[int, Iterable[VpdqFeature]],
        *,
        min_quality: int = MIN_QUALITY,
        threads: int = 1,
    ) -> VideoIndex:
        """Index videos under their ids, 0 to MAX_VIDEO_ID (40 bits). Hashes below min_quality are left out.

        A video that is left without any is not in the index: `len` and `hash_count` tell. Raises ValueError for an id out
        of range, TooLarge for a video with more than 2**24 different hashes.
        """
        counts: dict[int, int] = {}
        hashes, ids = [np.empty((0, 32), np.uint8)], [np.empty(0, np.uint64)]
        for video_id, features in videos.items():
            rows = _distinct_hashes(features, min_quality)
            hashes.append(rows)
            ids.append(_row_ids(video_id, len(rows)))
            counts[video_id] = len(rows)
        built = cls(Index.build(np.concatenate(hashes), np.concatenate(ids), threads=threads), min_quality)
        built._hash_counts = {video_id: count for video_id, count in counts.items() if count}
        return built

    @classmethod
    def open(cls, path: str | os.PathLike[str], *, min_quality: int = MIN_QUALITY, threads: int = 1) -> VideoIndex:
        """Map a file written by `save`, and count the hashes of each video. Raises as `Index.open` does.

        min_quality: for queries and for videos added later; give what the index was built with.
        """
        opened = cls(Index.open(path, threads=threads), min_quality)
        opened._hash_counts = _counted(opened._index.ids(threads=threads) >> _ID_SHIFT)
        return opened

    def search(
        self,
        query: Iterable[VpdqFeature],
        *,
        max_distance: int = MAX_DISTANCE,
        min_query_percent: float = 0.0,
        min_compared_percent: float = 0.0,
        threads: int = 1,
    ) -> list[FoundVideo]:
        """Return every video that has a frame in common with the query, and at least those shares, as `match_videos` has them.

        Ordered by share of the query, then of the video, largest first, then by id. Raises DistanceTooWide.
        """
        rows = _distinct_hashes(query, self._min_quality)
        found = self._index.search(rows, max_distance, threads=threads)
        # One frame may be close to many of the same video, and the other way round: each counts once.
        by_video = _counted(np.unique(found.id) >> _ID_SHIFT)
        pairs = np.unique(found.query.astype(np.uint64) << _QUERY_SHIFT | found.id >> _ID_SHIFT)
        by_query = _counted(pairs & np.uint64(MAX_VIDEO_ID))
        matches = []
        for video_id, frames in by_query.items():
            total = self._hash_counts.get(video_id)
            # Removed by another thread since the search began.
            if total is None:
                continue
            match = FoundVideo(video_id, _percent(frames, len(rows)), _percent(by_video[video_id], total))
            if match.query_percent >= min_query_percent and match.compared_percent >= min_compared_percent:
                matches.append(match)
        return sorted(matches, key=lambda match: (-match.query_percent, -match.compared_percent, match.id))

    def add(self, video_id: int, features: Iterable[VpdqFeature]) -> None:
        """Add one video. Raises ValueError when the id is there already, and as `build` does."""
        if video_id in self._hash_counts:
            raise ValueError("that id is in the index already; remove it first")
        rows = _distinct_hashes(features, self._min_quality)
        ids = _row_ids(video_id, len(rows))
        if len(rows) > 0:
            # The count first: a search that finds the hashes needs it.
            self._hash_counts[video_id] = len(rows)
            self._index.add(rows, ids)

    def remove(self, video_id: int) -> bool:
        """Take a video out; return whether it was there."""
        count = self._hash_counts.get(video_id, 0)
        if count > 0:
            self._index.remove(_row_ids(video_id, count))
            del self._hash_counts[video_id]
        return count > 0

    def hash_count(self, video_id: int) -> int:
        """Return how many different hashes of a video are in the index; 0 if it is not there."""
        return self._hash_counts.get(video_id, 0)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the index to `path`, as `Index.save` does."""
        self._index.save(path)

    def __contains__(self, video_id: object) -> bool:
        """Tell whether a video with that id is there."""
        return video_id in self._hash_counts

    def __len__(self) -> int:
        """Return the number of videos."""
        return len(self._hash_counts)


def _distinct_hashes(features: Iterable[VpdqFeature], min_quality: int) -> NDArray[np.uint8]:
    # Quality first, as in the index of python-threatexchange: a good frame is not lost to a poor one with the same hash.
    kept = dict.fromkeys(feature.pdq for feature in features if feature.quality >= min_quality)
    if len(kept) > _MOST_HASHES_PER_VIDEO:
        raise TooLarge(f"the video has {len(kept)} different hashes; the most is {_MOST_HASHES_PER_VIDEO}")
    return np.frombuffer(b"".join(kept), np.uint8).reshape(-1, 32)


def _row_ids(video_id: int, count: int) -> NDArray[np.uint64]:
    if not 0 <= video_id <= MAX_VIDEO_ID:
        raise ValueError(f"the id of a video is a number from 0 to {MAX_VIDEO_ID}")
    first = np.uint64(video_id << _ORDINAL_BITS)
    return first + np.arange(count, dtype=np.uint64)


def _counted(videos: NDArray[np.uint64]) -> dict[int, int]:
    ids, counts = np.unique(videos, return_counts=True)
    return dict(zip(ids.tolist(), counts.tolist(), strict=True))


def _percent(part: int, whole: int) -> float:
    return 100.0 * part / whole if whole else 0.0


def to_json(features: Iterable[VpdqFeature]) -> str:
    """Return the form that python-threatexchange exchanges: a JSON list of texts "hash,quality,timestamp"."""
    return json.dumps([f"{feature.pdq.hex()},{feature.quality},{feature.timestamp:.3f}" for feature in features])


def from_json(text: str) -> list[VpdqFeature]:
    """Read what `to_json` or python-threatexchange wrote. The frame numbers are not in it. Raises BadFeatures."""
    try:
        rows = json.loads(text or "[]")
    except (ValueError, RecursionError) as error:
        raise BadFeatures("the text is not JSON") from error
    if not isinstance(rows, list) or not all(isinstance(row, str) for row in rows):
        raise BadFeatures("the text is not a list of texts")
    features = []
    for number, row in enumerate(rows):
        hexadecimal, quality, timestamp = _columns(number, row, 3)
        features.append(_feature(number, hexadecimal, quality, timestamp, None))
    return features


def to_lines(features: Iterable[VpdqFeature]) -> str:
    """Return the form of the files of `vpdq-hash-video`: lines "frame number,quality,hash,timestamp".

    Raises BadFeatures when a frame number is not known.
    """
    lines = []
    for number, feature in enumerate(features):
        if feature.frame_number is None:
            raise BadFeatures(f"feature {number}: its frame number is not known")
        lines.append(f"{feature.frame_number},{feature.quality},{feature.pdq.hex()},{feature.timestamp:.3f}\n")
    return "".join(lines)


def from_lines(text: str) -> list[VpdqFeature]:
    """Read what `to_lines` or `vpdq-hash-video` wrote. Raises BadFeatures."""
    features = []
    for number, line in enumerate(text.splitlines()):
        frame_number, quality, hexadecimal, timestamp = _columns(number, line, 4)
        features.append(_feature(number, hexadecimal, quality, timestamp, frame_number))
    return features


def _columns(number: int, row: str, count: int) -> list[str]:
    columns = row.split(",")
    if len(columns) != count:
        raise BadFeatures(f"feature {number}: {count} values are needed, not {len(columns)}")
    return columns


def _feature(number: int, hexadecimal: str, quality: str, timestamp: str, frame_number: str | None) -> VpdqFeature:
    try:
        feature = VpdqFeature(
            bytes.fromhex(hexadecimal),
            int(quality),
            None if frame_number is None else int(frame_number),
            float(timestamp),
        )
    except ValueError as error:
        raise BadFeatures(f"feature {number}: a value is not a number") from error
    sound = len(feature.pdq) == 32 and 0 <= feature.quality <= 100 and 0 <= feature.timestamp < float("inf")
    if not sound or (feature.frame_number is not None and feature.frame_number < 0):
        raise BadFeatures(f"feature {number}: a value is out of range")
    return feature
