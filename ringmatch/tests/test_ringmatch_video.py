"""vPDQ: frames of videos that these tests make themselves, matched and searched as the reference defines it."""

from __future__ import annotations

import importlib.util
import io
import itertools
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from ringmatch.video import (
    MAX_VIDEO_ID,
    FoundVideo,
    VideoIndex,
    VideoMatch,
    VpdqFeature,
    from_json,
    from_lines,
    match_videos,
    to_json,
    to_lines,
    vpdq,
)

import ringmatch
from ringmatch import BadFeatures, DistanceTooWide, NoVideoStream, TooLarge, TooSlow, Undecodable

Picture = NDArray[np.uint8]

needs_av = pytest.mark.skipif(
    importlib.util.find_spec("av") is None, reason="PyAV IS MISSING: no video file is read here"
)
needs_upstream = pytest.mark.skipif(
    importlib.util.find_spec("vpdq") is None or importlib.util.find_spec("threatexchange") is None,
    reason="vpdq or threatexchange is missing: nothing here compares with the reference itself",
)

# (container, encoder, options): what phones, browsers and old archives write.
KINDS = {
    "mp4 h264": ("mp4", "libx264", {}),
    "mp4 h264, header first": ("mp4", "libx264", {"movflags": "faststart"}),
    "mp4 h264, in fragments": ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
    "mp4 mpeg4": ("mp4", "mpeg4", {}),
    "mov mjpeg": ("mov", "mjpeg", {}),
    "matroska h264": ("matroska", "libx264", {}),
    "webm vp8": ("webm", "libvpx", {}),
    "webm vp9": ("webm", "libvpx-vp9", {}),
    "avi mpeg4": ("avi", "mpeg4", {}),
    "mpegts h264": ("mpegts", "libx264", {}),
    "mpeg mpeg2": ("mpeg", "mpeg2video", {}),
    "flv": ("flv", "flv", {}),
    "asf wmv2": ("asf", "wmv2", {}),
}


def scene(
    make_picture: Callable[..., Picture], seed: int, count: int, size: tuple[int, int] = (180, 240)
) -> list[Picture]:
    """Return `count` frames: a slow pan over a drawn landscape, with a cut to another one every 20 frames."""
    frames = []
    for number in range(count):
        wide = _landscape(make_picture, seed * 1000 + number // 20, size)
        start = number % 20
        frames.append(np.ascontiguousarray(wide[:, start : start + size[1]]))
    return frames


_drawn: dict[tuple[int, tuple[int, int]], Picture] = {}


def _landscape(make_picture: Callable[..., Picture], seed: int, size: tuple[int, int]) -> Picture:
    key = (seed, size)
    if key not in _drawn:
        _drawn[key] = make_picture(seed, size[0], size[1] + 20)
    return _drawn[key]


def encoded(
    tmp_path: Path,
    frames: list[Picture],
    kind: str = "mp4 h264",
    *,
    rate: int = 10,
    size: tuple[int, int] | None = None,
    quality: str | None = None,
) -> bytes:
    import av

    container, encoder, options = KINDS[kind]
    height, width = size or frames[0].shape[:2]
    path = tmp_path / "made"
    # A file and not memory: to move its header to the front, the writer opens the file again.
    with av.open(str(path), "w", format=container, options=options) as output:
        stream = output.add_stream(encoder, rate=rate)
        stream.width, stream.height = width, height
        stream.pix_fmt = "yuvj420p" if encoder == "mjpeg" else "yuv420p"
        stream.codec_context.thread_count = 1
        if encoder == "libx264":
            stream.options = {"crf": quality or "20", "preset": "veryfast", "g": "12"}
        else:
            stream.bit_rate = 4_000_000
        for pixels in frames:
            shown = np.asarray(Image.fromarray(pixels).resize((width, height))) if size else pixels
            output.mux(stream.encode(av.VideoFrame.from_ndarray(shown, format="rgb24")))
        output.mux(stream.encode())
    return path.read_bytes()


def distance(a: bytes, b: bytes) -> int:
    return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()


@pytest.fixture
def frames(make_picture: Callable[..., Picture]) -> list[Picture]:
    return scene(make_picture, 1, 40)


@pytest.fixture
def video(tmp_path: Path, frames: list[Picture]) -> bytes:
    return encoded(tmp_path, frames)


@needs_av
class TestHashing:
    @pytest.mark.parametrize("kind", KINDS)
    def test_every_kind_gives_one_hash_a_second_close_to_that_of_the_picture_that_was_encoded(
        self, tmp_path: Path, frames: list[Picture], kind: str
    ) -> None:
        # The older encoders know only the usual rates.
        found = vpdq(encoded(tmp_path, frames, kind, rate=25), seconds_per_hash=0.4)

        assert [feature.frame_number for feature in found] == [0, 10, 20, 30]
        assert [feature.timestamp for feature in found] == pytest.approx([0, 0.4, 0.8, 1.2])
        for feature in found:
            expected = ringmatch.pdq(frames[feature.frame_number or 0])
            assert distance(feature.pdq, expected.hash) <= 16
            assert abs(feature.quality - expected.quality) <= 8

    def test_one_hash_a_second_is_the_default_and_zero_means_every_frame(self, video: bytes) -> None:
        assert [feature.frame_number for feature in vpdq(video)] == [0, 10, 20, 30]
        assert [feature.frame_number for feature in vpdq(video, seconds_per_hash=0)] == list(range(40))
        assert [feature.frame_number for feature in vpdq(video, seconds_per_hash=1.59)] == [0, 15, 30]

    def test_bytes_and_paths_are_the_same(self, tmp_path: Path, video: bytes) -> None:
        path = tmp_path / "video.mp4"
        path.write_bytes(video)

        assert vpdq(path) == vpdq(str(path)) == vpdq(bytearray(video)) == vpdq(memoryview(video)) == vpdq(video)

    def test_plain_frames_can_be_left_out_and_hashing_can_stop_early(
        self, tmp_path: Path, frames: list[Picture]
    ) -> None:
        plain = [np.full_like(frames[0], 90)] * 10
        video = encoded(tmp_path, plain + frames)

        assert vpdq(video)[0].quality == 0
        assert [feature.frame_number for feature in vpdq(video, min_quality=50)] == [10, 20, 30, 40]
        assert vpdq(video, min_quality=50, max_hashes=2) == vpdq(video, min_quality=50)[:2]

    def test_a_frame_hashes_like_the_picture_it_shows(self, video: bytes) -> None:
        import av

        with av.open(io.BytesIO(video)) as container:
            shown = [ringmatch.pdq(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]

        assert [(feature.pdq, feature.quality) for feature in vpdq(video, seconds_per_hash=0)] == [
            (found.hash, found.quality) for found in shown
        ]

    def test_threads_change_nothing(self, video: bytes) -> None:
        assert vpdq(video, threads=2) == vpdq(video, threads=0) == vpdq(video)

    def test_a_copy_that_was_encoded_anew_smaller_and_faster_matches_and_another_video_does_not(
        self, tmp_path: Path, make_picture: Callable[..., Picture], video: bytes, frames: list[Picture]
    ) -> None:
        copies = [
            encoded(tmp_path, frames, size=(120, 160), quality="30"),
            encoded(tmp_path, frames, "webm vp9", size=(144, 192)),
            encoded(tmp_path, frames[5:35], "avi mpeg4"),
            encoded(tmp_path, frames[::2], rate=5),
        ]
        other = encoded(tmp_path, scene(make_picture, 2, 40))
        original = vpdq(video, seconds_per_hash=0)

        for copy in copies:
            assert match_videos(vpdq(copy, seconds_per_hash=0), original).query_percent >= 80
        assert match_videos(vpdq(other), vpdq(video)) == VideoMatch(0.0, 0.0)

    def test_a_picture_that_accompanies_sound_is_not_taken_for_the_video(
        self, tmp_path: Path, make_picture: Callable[..., Picture]
    ) -> None:
        import av

        path = tmp_path / "with_cover.mp4"
        with av.open(str(path), "w") as output:
            cover = output.add_stream("mjpeg", rate=1)
            cover.width, cover.height, cover.pix_fmt = 64, 64, "yuvj420p"
            cover.disposition = av.stream.Disposition.attached_pic
            stream = output.add_stream("libx264", rate=10)
            stream.width, stream.height, stream.pix_fmt = 240, 180, "yuv420p"
            output.mux(cover.encode(av.VideoFrame.from_ndarray(make_picture(9, 64, 64), format="rgb24")))
            for pixels in scene(make_picture, 1, 20):
                output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
            output.mux(cover.encode())
            output.mux(stream.encode())

        assert [feature.frame_number for feature in vpdq(path)] == [0, 10]


@needs_av
class TestRefusals:
    @pytest.mark.parametrize(
        "data", [b"", b"no video", bytes(5000), b"\x1a\x45\xdf\xa3" + bytes(100), b"RIFF\0\0\0\0AVI "]
    )
    def test_something_else_is_undecodable(self, data: bytes) -> None:
        with pytest.raises(Undecodable) as caught:
            vpdq(data)

        assert caught.value.code == "ringmatch.undecodable"

    def test_pictures_and_texts_that_name_other_files_are_not_followed(self, tmp_path: Path, video: bytes) -> None:
        (tmp_path / "video.mp4").write_bytes(video)
        playlist = f"#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXTINF:4,\n{tmp_path}/video.mp4\n#EXT-X-ENDLIST\n"
        concat = f"ffconcat version 1.0\nfile {tmp_path}/video.mp4\n"
        png = io.BytesIO()
        Image.new("RGB", (64, 64)).save(png, "PNG")

        for data in (playlist.encode(), concat.encode(), png.getvalue()):
            with pytest.raises(Undecodable):
                vpdq(data)

    def test_a_path_is_never_taken_for_an_address(self) -> None:
        for name in ("http://127.0.0.1:9/video.mp4", "concat:a|b", "missing.mp4"):
            with pytest.raises(FileNotFoundError):
                vpdq(name)

    def test_sound_alone_has_no_video(self, tmp_path: Path) -> None:
        import av

        path = tmp_path / "sound.mp4"
        with av.open(str(path), "w") as output:
            stream = output.add_stream("aac", rate=44100)
            stream.layout = "mono"
            for _ in range(20):
                frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
                frame.sample_rate = 44100
                output.mux(stream.encode(frame))
            output.mux(stream.encode())

        with pytest.raises(NoVideoStream) as caught:
            vpdq(path)

        assert caught.value.code == "ringmatch.no_video_stream"
        assert isinstance(caught.value, Undecodable)

    @pytest.mark.parametrize(
        "kind",
        [
            "mp4 h264",
            "mp4 h264, header first",
            "mp4 h264, in fragments",
            "matroska h264",
            "webm vp9",
            "avi mpeg4",
            "flv",
        ],
    )
    @pytest.mark.parametrize("share", [0.05, 0.5, 0.9])
    def test_a_video_that_is_cut_off_is_undecodable(
        self, tmp_path: Path, frames: list[Picture], kind: str, share: float
    ) -> None:
        data = encoded(tmp_path, frames, kind)

        with pytest.raises(Undecodable):
            vpdq(data[: int(len(data) * share)])

    def test_what_comes_before_the_cut_can_be_asked_for(self, tmp_path: Path, frames: list[Picture]) -> None:
        for kind in ("mp4 h264, header first", "matroska h264", "avi mpeg4"):
            data = encoded(tmp_path, frames, kind)
            half = data[: len(data) // 2]

            found = vpdq(half, seconds_per_hash=0, partial=True)

            assert 1 <= len(found) < 40
            assert match_videos(found, vpdq(data, seconds_per_hash=0)).query_percent >= 80
        with pytest.raises(Undecodable):
            vpdq(data[: len(data) // 50], partial=True)

    def test_damage_in_the_middle_is_undecodable_or_passed_over(self, tmp_path: Path, frames: list[Picture]) -> None:
        data = bytearray(encoded(tmp_path, frames, "mp4 h264, header first"))
        middle = len(data) * 2 // 3
        data[middle : middle + 4000] = b"\xff" * 4000

        with pytest.raises(Undecodable):
            vpdq(bytes(data))
        found = vpdq(bytes(data), seconds_per_hash=0, partial=True)

        assert len(found) >= 20

    def test_limits_are_checked_before_decoding(self, tmp_path: Path, video: bytes, frames: list[Picture]) -> None:
        for limit in ({"max_bytes": len(video) - 1}, {"max_pixels": 180 * 240 - 1}, {"max_seconds": 3.5}):
            with pytest.raises(TooLarge) as caught:
                vpdq(video, **limit)
            assert caught.value.code == "ringmatch.too_large"
        (tmp_path / "video.mp4").write_bytes(video)
        with pytest.raises(TooLarge):
            vpdq(tmp_path / "video.mp4", max_bytes=len(video) - 1)
        with pytest.raises(TooLarge):
            vpdq(video, max_frames=39)
        assert len(vpdq(video, max_bytes=len(video), max_pixels=180 * 240, max_seconds=4.0, max_frames=40)) == 4

    def test_a_video_that_lies_about_its_length_is_stopped_when_it_gets_there(
        self, tmp_path: Path, frames: list[Picture]
    ) -> None:
        data = encoded(tmp_path, frames, "mpegts h264")

        # This container does not say how long it is; the decoder finds out.
        with pytest.raises(TooLarge):
            vpdq(data, max_seconds=1.0)

    def test_a_picture_that_grows_while_it_plays_is_refused(
        self, tmp_path: Path, make_picture: Callable[..., Picture]
    ) -> None:
        small = encoded(tmp_path, scene(make_picture, 1, 10), "mpegts h264")
        large = encoded(tmp_path, scene(make_picture, 2, 10, (360, 480)), "mpegts h264")

        with pytest.raises((TooLarge, Undecodable)):
            vpdq(small + large, seconds_per_hash=0, max_pixels=180 * 240)

    def test_a_header_that_asks_for_absurd_memory_is_refused(self, video: bytes) -> None:
        greedy = bytearray(video)
        struct.pack_into(">I", greedy, greedy.index(b"stts") + 8, 0x1FFF_FFFF)

        with pytest.raises(TooLarge):
            vpdq(bytes(greedy))

    def test_time_is_limited(self, video: bytes) -> None:
        with pytest.raises(TooSlow) as caught:
            vpdq(video, time_limit_seconds=0.0)

        assert caught.value.code == "ringmatch.too_slow"

    def test_a_false_frame_rate_does_not_hide_the_rest_of_the_video(
        self, tmp_path: Path, make_picture: Callable[..., Picture]
    ) -> None:
        frames = scene(make_picture, 1, 40)
        data = encoded(tmp_path, frames, "mov mjpeg", rate=90_000)

        assert len(vpdq(data, seconds_per_hash=0.05)) == 4

    @pytest.mark.parametrize("options", [{"seconds_per_hash": -1.0}, {"max_hashes": 0}, {"threads": -1}])
    def test_options_out_of_range_are_a_mistake_of_the_caller(self, video: bytes, options: dict[str, float]) -> None:
        with pytest.raises(ValueError):
            vpdq(video, **options)
        with pytest.raises(TypeError):
            vpdq(5)  # type: ignore[arg-type]

    @settings(max_examples=60, deadline=None)
    @given(data=st.data())
    def test_a_damaged_video_becomes_features_or_a_numbered_error(self, data: st.DataObject) -> None:
        kind, video = data.draw(st.sampled_from(sorted(_small_videos().items())), label="kind")
        damaged = bytearray(video)
        for _ in range(data.draw(st.integers(1, 4))):
            place = data.draw(st.integers(0, len(damaged) - 1))
            damaged[place : place + 4] = data.draw(st.binary(min_size=4, max_size=4))
        started = time.monotonic()

        try:
            found = vpdq(bytes(damaged), time_limit_seconds=5.0, partial=data.draw(st.booleans()), max_pixels=10**6)
        except (Undecodable, TooLarge, TooSlow):
            pass
        else:
            assert all(len(feature.pdq) == 32 for feature in found), kind
        assert time.monotonic() - started < 10


def _small_videos(cache: dict[str, bytes] = {}) -> dict[str, bytes]:  # noqa: B006 (made once)
    if not cache:
        import tempfile

        rng = np.random.default_rng(3)
        frames = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(6)]
        with tempfile.TemporaryDirectory() as folder:
            for kind in KINDS:
                cache[kind] = encoded(Path(folder), frames, kind, rate=25)
    return cache


def features_of(seed: int, count: int, *, repeats: int = 0) -> list[VpdqFeature]:
    """Return random features, each hash with one quality."""
    rng = np.random.default_rng(seed)
    hashes = [rng.bytes(32) for _ in range(count)]
    hashes += [hashes[k] for k in rng.integers(0, count, repeats)]
    return [VpdqFeature(value, value[0] % 101, number, number * 0.5) for number, value in enumerate(hashes)]


def near(features: list[VpdqFeature], seed: int, most_bits: int) -> list[VpdqFeature]:
    """Return the features with up to so many bits of each hash turned over."""
    rng = np.random.default_rng(seed)
    changed = []
    for feature in features:
        value = int.from_bytes(feature.pdq)
        for bit in rng.choice(256, int(rng.integers(0, most_bits + 1)), replace=False):
            value ^= 1 << int(bit)
        changed.append(VpdqFeature(value.to_bytes(32), feature.quality, feature.frame_number, feature.timestamp))
    return changed


def match_as_written(
    query: list[VpdqFeature], compared: list[VpdqFeature], most: int, min_quality: int
) -> tuple[float, float]:
    """Return what the pseudocode of the vPDQ README says, step by step."""
    ours = {feature.pdq for feature in query if feature.quality >= min_quality}
    theirs = {feature.pdq for feature in compared if feature.quality >= min_quality}
    in_theirs = sum(any(distance(a, b) <= most for b in theirs) for a in ours)
    in_ours = sum(any(distance(a, b) <= most for a in ours) for b in theirs)
    return (100 * in_theirs / len(ours) if ours else 0.0, 100 * in_ours / len(theirs) if theirs else 0.0)


class TestMatching:
    @settings(max_examples=80, deadline=None)
    @given(
        seed=st.integers(0, 10_000),
        sizes=st.tuples(st.integers(1, 25), st.integers(0, 25)),
        most=st.sampled_from([0, 8, 31]),
        min_quality=st.sampled_from([0, 50, 90, 101]),
    )
    def test_shares_are_those_of_the_definition(
        self, seed: int, sizes: tuple[int, int], most: int, min_quality: int
    ) -> None:
        query = features_of(seed, sizes[0], repeats=3)
        compared = near(query[::2], seed, 40) + features_of(seed + 1, sizes[1] + 1)

        found = match_videos(query, compared, max_distance=most, min_quality=min_quality)

        assert found == pytest.approx(match_as_written(query, compared, most, min_quality))

    def test_a_part_matches_wholly_and_the_whole_in_part(self) -> None:
        whole = [VpdqFeature(bytes([k]) * 32, 100, k, float(k)) for k in (0x00, 0x0F, 0x33, 0x55)]

        assert match_videos(whole[:1], whole) == VideoMatch(100.0, 25.0)
        assert match_videos(whole, whole[:1]) == VideoMatch(25.0, 100.0)

    def test_nothing_left_to_compare_is_no_match(self) -> None:
        plain = [VpdqFeature(bytes(32), 49, 0, 0.0)]

        assert match_videos(plain, plain) == VideoMatch(0.0, 0.0)
        assert match_videos([], plain, min_quality=0) == VideoMatch(0.0, 0.0)
        assert match_videos(plain, plain, min_quality=49) == VideoMatch(100.0, 100.0)

    def test_a_wider_distance_is_refused(self) -> None:
        with pytest.raises(DistanceTooWide):
            match_videos(features_of(1, 2), features_of(2, 2), max_distance=32)


class TestIndex:
    def videos(self) -> dict[int, list[VpdqFeature]]:
        shared = features_of(100, 12)
        videos = {number * 7: features_of(number, 20, repeats=5) for number in range(30)}
        for number in (0, 35, 70):
            videos[number] = videos[number] + near(shared, number + 1, 31)
        videos[MAX_VIDEO_ID] = shared + features_of(101, 40)
        return videos

    def test_both_shares_of_every_video_are_those_of_comparing_it_alone(self) -> None:
        videos = self.videos()
        index = VideoIndex.build(videos)

        for query in (videos[0], videos[MAX_VIDEO_ID], near(videos[7], 5, 31), features_of(999, 20)):
            expected = {id: match_videos(query, features) for id, features in videos.items()}
            found = index.search(query)

            assert {match.id: match[1:] for match in found} == {
                id: pytest.approx(tuple(match)) for id, match in expected.items() if match.query_percent > 0
            }
            assert found == sorted(found, key=lambda match: (-match.query_percent, -match.compared_percent, match.id))

    def test_shares_can_be_asked_for(self) -> None:
        videos = self.videos()
        index = VideoIndex.build(videos)

        everything = index.search(videos[0])

        assert len(everything) >= 4
        assert index.search(videos[0], min_query_percent=80) == [m for m in everything if m.query_percent >= 80]
        assert index.search(videos[0], min_compared_percent=30) == [m for m in everything if m.compared_percent >= 30]
        assert everything[0] == FoundVideo(0, 100.0, 100.0)

    def test_videos_come_and_go(self) -> None:
        videos = self.videos()
        index = VideoIndex.build(dict(itertools.islice(videos.items(), 10)))
        for id, features in itertools.islice(videos.items(), 10, None):
            index.add(id, features)
        whole = VideoIndex.build(videos)

        assert len(index) == len(whole) == 31
        assert index.search(videos[35]) == whole.search(videos[35])
        with pytest.raises(ValueError):
            index.add(35, videos[35])

        assert index.remove(35)
        assert not index.remove(35)
        assert 35 not in index and 70 in index
        assert 35 not in {match.id for match in index.search(videos[35])}
        index.add(35, videos[35])
        assert index.search(videos[35]) == whole.search(videos[35])

    def test_it_is_saved_and_opened(self, tmp_path: Path) -> None:
        videos = self.videos()
        index = VideoIndex.build(videos, threads=2)
        index.remove(14)
        index.save(tmp_path / "videos.ring")

        opened = VideoIndex.open(tmp_path / "videos.ring")

        assert len(opened) == len(index) == 30
        for query in videos.values():
            assert opened.search(query) == index.search(query)
        assert opened.hash_count(0) == index.hash_count(0) > 0

    def test_a_video_of_plain_frames_is_not_in_it(self) -> None:
        index = VideoIndex.build({1: [VpdqFeature(bytes(32), 10, 0, 0.0)], 2: features_of(1, 5)}, min_quality=0)
        strict = VideoIndex.build({1: [VpdqFeature(bytes(32), 10, 0, 0.0)]})

        assert len(index) == 2 and index.hash_count(1) == 1
        assert len(strict) == 0 and strict.hash_count(1) == 0
        assert strict.search([VpdqFeature(bytes(32), 100, 0, 0.0)]) == []

    @pytest.mark.parametrize("id", [-1, MAX_VIDEO_ID + 1])
    def test_an_id_out_of_range_is_a_mistake_of_the_caller(self, id: int) -> None:
        with pytest.raises(ValueError):
            VideoIndex.build({id: features_of(1, 2)})

    def test_it_is_searched_while_it_changes(self) -> None:
        videos = self.videos()
        index = VideoIndex.build(videos)
        expected = {match.id for match in index.search(videos[0])} - {35}
        done = threading.Event()
        wrong: list[set[int]] = []

        def search() -> None:
            while not done.is_set():
                found = {match.id for match in index.search(videos[0])}
                if found - {35} != expected:
                    wrong.append(found)

        searching = threading.Thread(target=search)
        searching.start()
        for _ in range(40):
            index.remove(35)
            index.add(35, videos[35])
        done.set()
        searching.join()

        assert wrong == []


features = st.lists(
    st.builds(
        VpdqFeature,
        st.binary(min_size=32, max_size=32),
        st.integers(0, 100),
        st.integers(0, 10**6),
        st.integers(0, 10**7).map(lambda milliseconds: milliseconds / 1000),
    ),
    max_size=8,
)


class TestForms:
    @given(features=features)
    def test_both_forms_give_back_what_was_written(self, features: list[VpdqFeature]) -> None:
        assert from_lines(to_lines(features)) == features
        assert from_json(to_json(features)) == [
            VpdqFeature(feature.pdq, feature.quality, None, feature.timestamp) for feature in features
        ]

    def test_the_forms_are_those_of_the_reference(self) -> None:
        feature = VpdqFeature(bytes(range(32)), 97, 30, 1.001)
        hexadecimal = bytes(range(32)).hex()

        assert to_json([feature]) == f'["{hexadecimal},97,1.001"]'
        assert to_lines([feature]) == f"30,97,{hexadecimal},1.001\n"
        # Theirs writes three digits in all, not three after the point.
        assert from_json(f'["{hexadecimal},97,1.23e+02"]')[0].timestamp == 123.0
        assert from_json("") == from_json("[]") == from_lines("") == []

    @pytest.mark.parametrize(
        "text",
        [
            "{}",
            "[1]",
            "[",
            '["00,1,2"]',
            '["a"]',
            '["%s,101,0"]',
            '["%s,-1,0"]',
            '["%s,5,-0.1"]',
            '["%s,5,nan"]',
            '["%s,5,inf"]',
            '["%s,x,1"]',
        ],
    )
    def test_other_texts_are_refused(self, text: str) -> None:
        with pytest.raises(BadFeatures) as caught:
            from_json(text.replace("%s", "00" * 32))

        assert caught.value.code == "ringmatch.bad_features"
        with pytest.raises(BadFeatures):
            from_lines("1,2,3\n")
        with pytest.raises(BadFeatures):
            from_lines(f"-1,2,{'00' * 32},0.0\n")
        with pytest.raises(BadFeatures):
            to_lines([VpdqFeature(bytes(32), 1, None, 0.0)])


@needs_upstream
class TestAgainstTheReference:
    """Runs where the packages vpdq and threatexchange are installed."""

    @pytest.mark.parametrize("seed", range(20))
    def test_two_videos_match_as_with_theirs(self, seed: int) -> None:
        from threatexchange.extensions.vpdq.vpdq_brute_matcher import match_VPDQ_hash_brute
        from threatexchange.extensions.vpdq.vpdq_util import json_to_vpdq

        query = features_of(seed, 40, repeats=10)
        compared = near(query[: 5 + seed], seed, 50) + features_of(seed + 500, 30, repeats=5)

        theirs = match_VPDQ_hash_brute(json_to_vpdq(to_json(query)), json_to_vpdq(to_json(compared)), 50, 31)

        assert match_videos(query, compared) == pytest.approx(
            (theirs.query_match_percent, theirs.compared_match_percent)
        )

    def test_an_index_finds_what_theirs_finds(self) -> None:
        from threatexchange.extensions.vpdq.vpdq_index import VPDQIndex

        videos = {number: features_of(number, 30, repeats=6) for number in range(20)}
        for number in range(5, 15):
            videos[number] += near(videos[0][:number], number, 40)
        theirs = VPDQIndex.build(
            [(to_json(features), id) for id, features in videos.items()],
            query_match_threshold_pct=0.0,
        )
        ours = VideoIndex.build(videos)

        for query in [*videos.values(), near(videos[3], 9, 35)]:
            expected = {
                match.metadata: (
                    match.similarity_info.query_match_percent,
                    match.similarity_info.compared_match_percent,
                )
                for match in theirs.query(to_json(query))
            }
            assert {match.id: match[1:] for match in ours.search(query)} == {
                id: pytest.approx(shares) for id, shares in expected.items()
            }

    def test_theirs_reads_what_we_write_and_we_read_what_they_write(self) -> None:
        from threatexchange.extensions.vpdq.vpdq_util import json_to_vpdq, vpdq_to_json

        features = features_of(4, 10)

        theirs = json_to_vpdq(to_json(features))

        assert [feature.pdq_hex for feature in theirs] == [feature.pdq.hex() for feature in features]
        assert [feature.quality for feature in theirs] == [feature.quality for feature in features]
        assert [feature.pdq for feature in from_json(vpdq_to_json(theirs))] == [feature.pdq for feature in features]

    @needs_av
    @pytest.mark.parametrize(
        "kind", ["mp4 h264", "mp4 h264, header first", "matroska h264", "avi mpeg4", "webm vp8", "mpegts h264", "flv"]
    )
    @pytest.mark.parametrize("seconds_per_hash", [0.0, 0.3, 1.0])
    def test_a_video_has_the_features_that_theirs_finds(
        self, tmp_path: Path, frames: list[Picture], kind: str, seconds_per_hash: float
    ) -> None:
        from vpdq import computeHash

        path = tmp_path / "video"
        path.write_bytes(encoded(tmp_path, frames, kind))

        theirs = computeHash(str(path), seconds_per_hash=seconds_per_hash)
        ours = vpdq(path, seconds_per_hash=seconds_per_hash)

        assert [feature.frame_number for feature in ours] == [feature.frame_number for feature in theirs]
        assert [feature.timestamp for feature in ours] == pytest.approx([f.timestamp for f in theirs], abs=1e-3)
        for mine, their in zip(ours, theirs, strict=True):
            assert distance(mine.pdq, bytes.fromhex(their.hex)) <= 2
            assert abs(mine.quality - their.quality) <= 1
