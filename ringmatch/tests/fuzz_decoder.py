"""Damage valid files in many ways and hash them: no crash, no hang, no memory above a cap, no error but the package's own.

    python tests/fuzz_decoder.py --cases 20000 --seed 1
    python tests/fuzz_decoder.py --cases 2000 --seed 1 --kinds video
    python tests/fuzz_decoder.py --seed 1 --only 1234          one case again, in the open

Each case follows from the seed and its number alone. Cases run in a child process, so that one that ends it is counted like
any other failure, and the rest go on. `--package FOLDER` takes the package from there, `--no-address-limit` is for builds with
AddressSanitizer, which reserves terabytes of addresses; memory is then only measured.
"""
# ruff: noqa: T201 (a program for the terminal)

from __future__ import annotations

import argparse
import faulthandler
import io
import mmap
import os
import random
import resource
import signal
import struct
import sys
import tempfile
import time
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from PIL import Image, features

MAX_PIXELS = 1_000_000
SECONDS_PER_CASE = 10.0
MEMORY_CAP_BYTES = 512 * 2**20

Mutation = Callable[[random.Random, bytearray, list[bytes]], bytearray]


# --- Valid files ------------------------------------------------------------------------------------------------------


def picture_files() -> dict[str, list[bytes]]:
    """Return small valid files of every format, and of every way to store one that the format knows."""
    y, x = np.mgrid[0:48, 0:64]
    waves = (128 + 60 * np.sin(x / 5) * np.cos(y / 7)).astype(np.uint8)
    noise = np.random.default_rng(1).integers(0, 256, (48, 64, 3), dtype=np.uint8)
    colour = Image.fromarray(np.where((x + y)[..., np.newaxis] % 16 < 12, waves[..., np.newaxis], noise))
    alpha = colour.copy()
    alpha.putalpha(Image.fromarray(waves))
    large = colour.resize((1040, 1030))
    frames = [Image.fromarray(np.roll(np.asarray(colour), 8 * turn, axis=1)) for turn in range(3)]
    exif = Image.Exif()
    exif[0x0112] = 6
    several = {"save_all": True, "append_images": frames[1:]}

    def saved(picture: Image.Image, kind: str, **options: object) -> bytes:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        return file.getvalue()

    files = {
        "jpeg": [
            saved(colour, "JPEG"),
            saved(colour, "JPEG", progressive=True, subsampling=0),
            saved(colour, "JPEG", exif=exif, quality=95, restart_marker_blocks=2),
            saved(colour.convert("L"), "JPEG", optimize=True),
            saved(colour.convert("CMYK"), "JPEG"),
            saved(large, "JPEG", quality=20),
        ],
        "png": [
            *(saved(colour.convert(mode), "PNG") for mode in ("1", "L", "P", "RGB")),
            saved(alpha, "PNG", exif=exif),
            saved(alpha.convert("LA"), "PNG"),
            saved(colour.convert("P"), "PNG", transparency=3, bits=4),
            saved(Image.fromarray(waves.astype(np.uint16) * 257), "PNG"),
            saved(frames[0], "PNG", **several),
        ],
        "gif": [
            saved(colour, "GIF"),
            saved(colour.convert("P"), "GIF", transparency=5, interlace=1),
            saved(frames[0], "GIF", **several),
        ],
        "bmp": [saved(colour.convert(mode), "BMP") for mode in ("1", "L", "P", "RGB", "RGBA")],
        "tiff": [
            *(
                saved(colour, "TIFF", compression=kind)
                for kind in (None, "tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")
            ),
            saved(colour.convert("1"), "TIFF", compression="group4"),
            saved(alpha, "TIFF", exif=exif),
            *(saved(colour.convert(mode), "TIFF") for mode in ("CMYK", "YCbCr", "P", "L")),
            saved(Image.fromarray(waves.astype(np.uint16) * 257), "TIFF"),
            saved(Image.fromarray((waves / 255).astype(np.float32)), "TIFF"),
            saved(frames[0], "TIFF", **several),
        ],
        "webp": [
            saved(colour, "WEBP"),
            saved(colour, "WEBP", lossless=True),
            saved(alpha, "WEBP", exif=exif),
            saved(frames[0], "WEBP", **several),
        ],
    }
    if features.check("avif"):
        files["avif"] = [saved(colour, "AVIF"), saved(alpha, "AVIF", exif=exif), saved(frames[0], "AVIF", **several)]
    try:
        import pillow_heif

        pillow_heif.register_heif_opener()
        files["heif"] = [saved(colour, "HEIF"), saved(alpha, "HEIF")]
    except ImportError:
        pass
    return files


def video_files() -> list[bytes]:
    """Return small valid videos, or none without PyAV."""
    try:
        import av
    except ImportError:
        return []
    os.environ.setdefault("SVT_LOG", "0")
    rng = np.random.default_rng(2)
    frames = [rng.integers(0, 256, (48, 64, 3), dtype=np.uint8) for _ in range(6)]
    kinds = [
        ("mp4", "libx264", {}),
        ("mp4", "libx264", {"movflags": "faststart"}),
        ("mp4", "libx264", {"movflags": "frag_keyframe+empty_moov"}),
        ("mov", "mjpeg", {}),
        ("matroska", "libx264", {}),
        ("webm", "libvpx", {}),
        ("webm", "libvpx-vp9", {}),
        ("webm", "libsvtav1", {}),
        ("avi", "mpeg4", {}),
        ("mpegts", "libx264", {}),
        ("mpeg", "mpeg2video", {}),
        ("flv", "flv", {}),
        ("asf", "wmv2", {}),
        ("gif", "gif", {}),
    ]
    videos = []
    with tempfile.TemporaryDirectory() as folder:
        for container, encoder, options in kinds:
            path = Path(folder) / "video"
            with av.open(str(path), "w", format=container, options=options) as output:
                stream = output.add_stream(encoder, rate=25)
                stream.width, stream.height = 64, 48
                stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(encoder, "yuv420p")
                stream.codec_context.thread_count = 1
                for pixels in frames:
                    output.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
                output.mux(stream.encode())
            videos.append(path.read_bytes())
    return videos


# --- Ways to damage them ----------------------------------------------------------------------------------------------

_SIZES = [
    0,
    1,
    2,
    7,
    0x7F,
    0x80,
    0xFF,
    0x100,
    0x3FFF,
    0x7FFF,
    0x8000,
    0xFFFF,
    0x10000,
    0x7FFFFFFF,
    0x80000000,
    0xFFFFFFFF,
]


def flip_bits(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    for _number in range(rng.choice([1, 1, 2, 8, 64])):
        data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return data


def set_bytes(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(data))
    for place in range(start, min(len(data), start + rng.choice([1, 2, 4, 16]))):
        data[place] = rng.choice([0, 0xFF, 0x7F, 0x80, rng.randrange(256)])
    return data


def cut_off(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    return data[: rng.randrange(len(data))]


def claim_size(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    """Write a number of two or four bytes where headers hold sizes, counts and offsets."""
    code = rng.choice(["<H", ">H", "<I", ">I"])
    width = struct.calcsize(code)
    place = rng.randrange(max(1, min(len(data), rng.choice([32, 64, 256, len(data)])) - width))
    if place + width <= len(data):
        struct.pack_into(code, data, place, rng.choice(_SIZES) & (256**width - 1))
    return data


def take_out(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(data))
    del data[start : start + rng.choice([1, 4, 16, 64, 500])]
    return data


def repeat(rng: random.Random, data: bytearray, _: list[bytes]) -> bytearray:
    start = rng.randrange(len(data))
    piece = bytes(data[start : start + rng.choice([4, 16, 64, 500])])
    data[start:start] = piece * rng.choice([1, 2, 20])
    return data


def splice(rng: random.Random, data: bytearray, others: list[bytes]) -> bytearray:
    """Put in a piece of another file, of the same format or of any."""
    other = rng.choice(others)
    start, length = rng.randrange(len(other)), rng.choice([4, 16, 64, 500, 5000])
    place = rng.randrange(len(data))
    data[place : place + rng.choice([0, length])] = other[start : start + length]
    return data


def mend_png(_: random.Random, data: bytearray, __: list[bytes]) -> bytearray:
    """Make the checksums right again, so that what was changed is looked at and not refused."""
    place = 8
    while data[:8] == b"\x89PNG\r\n\x1a\n" and place + 12 <= len(data):
        length = int.from_bytes(data[place : place + 4])
        end = place + 8 + length
        if end + 4 > len(data):
            break
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[place + 4 : end]))
        place = end + 4
    return data


MUTATIONS: list[Mutation] = [flip_bits, set_bytes, cut_off, claim_size, claim_size, take_out, repeat, splice]


def damaged(rng: random.Random, data: bytes, others: list[bytes]) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice([0, 1, 1, 1, 2, 2, 3, 5])):
        changed = rng.choice(MUTATIONS)(rng, changed, others) or bytearray(b"\0")
    if rng.random() < 0.8:
        changed = mend_png(rng, changed, others)
    return bytes(changed)


# --- Running them -----------------------------------------------------------------------------------------------------


@dataclass
class Corpus:
    kinds: list[str]
    files: dict[str, list[bytes]]
    everything: list[bytes] = field(init=False)

    def __post_init__(self) -> None:
        self.everything = [data for group in self.files.values() for data in group]


def corpus(kinds: Iterable[str] = ()) -> Corpus:
    """Return the valid files. kinds: formats, "video", "pixels" (arrays); none means every picture format and arrays."""
    files = picture_files()
    chosen = list(kinds) or [*files, "pixels"]
    if "video" in chosen:
        files["video"] = video_files()
    absent = [kind for kind in chosen if kind != "pixels" and not files.get(kind)]
    if absent:
        raise SystemExit(f"cannot make files of these kinds here: {', '.join(absent)}")
    return Corpus(chosen, files)


def run_case(corpus: Corpus, seed: int, number: int) -> str:
    """Run one case; return what became of it. Anything but the errors of the package comes out as it is raised."""
    from ringmatch.video import vpdq

    import ringmatch
    from ringmatch import _native

    rng = random.Random(f"{seed}:{number}")
    kind = rng.choice(corpus.kinds)
    if kind == "pixels":
        return hash_pixels(rng, _native.pdq)
    data = damaged(rng, rng.choice(corpus.files[kind]), rng.choice([corpus.files[kind], corpus.everything]))
    try:
        if kind == "video":
            features = vpdq(
                data,
                seconds_per_hash=rng.choice([0.0, 1.0]),
                partial=rng.random() < 0.5,
                max_pixels=MAX_PIXELS,
                max_seconds=3600,
                time_limit_seconds=SECONDS_PER_CASE / 2,
            )
            assert all(len(feature.pdq) == 32 for feature in features)
        elif rng.random() < 0.25:
            for found in ringmatch.pdq_frames(data, max_frames=4, max_pixels=MAX_PIXELS):
                assert len(found.hash) == 32
        else:
            # The scaled way only differs for pictures above the usual cap.
            found = ringmatch.pdq(data, max_pixels=2 * MAX_PIXELS, scaled=rng.random() < 0.5)
            assert found.dihedral()[0] == found.hash and 0 <= found.quality <= 100
    except ringmatch.RingmatchError as error:
        return error.code
    return "hashed"


def hash_pixels(rng: random.Random, native_pdq: Callable[..., tuple[bytes, int, bytes]]) -> str:
    """Call the native entry with arrays of any shape, said to be scaled from pictures of any size, right or wrong."""
    full = [rng.choice([1, 4, 5, 63, 64, 65, rng.randrange(1, 700)]) for _ in range(2)]
    eighths = rng.choice([8, 8, *range(10), -1])
    shape = [max(1, -(-side * eighths // 8)) for side in full]
    if rng.random() < 0.3:
        shape[rng.randrange(2)] += rng.choice([-1, 1, 7])
    if rng.random() < 0.1:
        full[rng.randrange(2)] = rng.choice([0, -1, 2**31, 2**62])
    pixels = np.random.default_rng(rng.randrange(2**32)).integers(
        0, 256, (*(max(0, side) for side in shape), rng.choice([1, 3, 4, 2])), dtype=np.uint8
    )
    try:
        hash_bytes, quality, _ = native_pdq(pixels, *full, eighths, rng.random() < 0.5, rng.random() < 0.5)
    except (ValueError, TypeError):
        return "array refused"
    assert len(hash_bytes) == 32 and 0 <= quality <= 100
    return "array hashed"


@dataclass
class Report:
    outcomes: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    slowest_seconds: float = 0.0
    peak_growth_bytes: int = 0


def run(corpus: Corpus, cases: int, seed: int, *, limit_addresses: bool = True) -> Report:
    """Run cases 0 to `cases` - 1, restarting after each that ends the process."""
    report = Report()
    with mmap.mmap(-1, 4096) as progress, tempfile.TemporaryFile() as results:
        first = 0
        while first < cases:
            child = os.fork()
            if child == 0:
                status = 1
                errors = os.fdopen(os.dup(2), "w")
                try:
                    # The decoders' own libraries say there what they think of the files.
                    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
                    run_cases(corpus, range(first, cases), seed, progress, results.fileno(), limit_addresses)
                    status = 0
                except BaseException:
                    traceback.print_exc(file=errors)
                    errors.flush()
                finally:
                    os._exit(status)
            _, status = os.waitpid(child, 0)
            if status == 0:
                break
            number = struct.unpack_from("<q", progress)[0]
            name = signal.Signals(os.WTERMSIG(status)).name if os.WIFSIGNALED(status) else "an exception"
            hang = " (it took too long)" if name == "SIGALRM" else ""
            report.failures.append(f"case {number}: {name}{hang}")
            first = number + 1
        results.seek(0)
        for line in results.read().decode().splitlines():
            outcome, seconds, growth = line.split("\t")
            report.outcomes[outcome] += 1
            report.slowest_seconds = max(report.slowest_seconds, float(seconds))
            report.peak_growth_bytes = max(report.peak_growth_bytes, int(growth))
    if report.peak_growth_bytes > MEMORY_CAP_BYTES:
        report.failures.append(f"memory grew by {report.peak_growth_bytes} bytes; the cap is {MEMORY_CAP_BYTES}")
    return report


def run_cases(
    corpus: Corpus, numbers: range, seed: int, progress: mmap.mmap, results: int, limit_addresses: bool
) -> None:
    warnings.simplefilter("ignore")
    faulthandler.disable()
    # The default action ends the process, which is the only way out of a loop in native code.
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    if limit_addresses:
        used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (used + 2 * MEMORY_CAP_BYTES,) * 2)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in numbers:
        struct.pack_into("<q", progress, 0, number)
        started = time.monotonic()
        signal.setitimer(signal.ITIMER_REAL, SECONDS_PER_CASE)
        outcome = run_case(corpus, seed, number)
        signal.setitimer(signal.ITIMER_REAL, 0)
        growth = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        os.write(results, f"{outcome}\t{time.monotonic() - started:.4f}\t{growth}\n".encode())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="+", default=[], help="jpeg png gif bmp tiff webp avif heif pixels video")
    parser.add_argument("--only", type=int, help="run this case alone, in this process")
    parser.add_argument("--package", type=Path, help="take ringmatch from this folder")
    parser.add_argument("--no-address-limit", action="store_true")
    options = parser.parse_args()
    if options.package:
        # An editable install answers for the name through a finder of its own, before any folder is looked at.
        finders = [finder for finder in sys.meta_path if type(finder).__name__ != "ScikitBuildRedirectingFinder"]
        sys.meta_path[:] = finders
        sys.path.insert(0, str(options.package.resolve()))
    import ringmatch

    files = corpus(options.kinds)
    if options.only is not None:
        print(run_case(files, options.seed, options.only))
        return 0
    started = time.monotonic()
    report = run(files, options.cases, options.seed, limit_addresses=not options.no_address_limit)
    print(
        f"{ringmatch.__file__}, {ringmatch.active_path()}; {len(files.everything)} valid files; {' '.join(files.kinds)}"
    )
    print(f"{options.cases} cases, seed {options.seed}, {time.monotonic() - started:.0f} s, ", end="")
    print(f"slowest {report.slowest_seconds:.2f} s, memory at most {report.peak_growth_bytes / 2**20:.0f} MiB more")
    print(", ".join(f"{outcome} {count}" for outcome, count in report.outcomes.most_common()))
    print("\n".join(report.failures) or "no failure")
    return 1 if report.failures else 0


if __name__ == "__main__":
    sys.exit(main())
