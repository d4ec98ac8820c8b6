"""Every wall is leaned on: what is forbidden kills a decoder, and the next picture is read all the same."""

import hashlib
import io
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import sysconfig
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from vigil.matching import services
from vigil.matching.errors import SandboxDown, TooLarge, Undecodable
from vigil.matching.sandbox import Sandbox, layers
from vigil.matching.tests.pictures import picture, png, stripes
from vigil.settings import PROJECT_DIR


@pytest.fixture(scope="module")
def sandbox():
    with Sandbox(workers=1, canaries=True) as sandbox:
        yield sandbox


def _decoder_of(sandbox):
    with sandbox._borrowed() as decoder:
        return decoder


# ---- pictures --------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF"])
def test_ordinary_pictures_are_read(sandbox, kind):
    orientations, quality, width, height = sandbox.facts(picture(kind=kind))
    assert (len(orientations), len(set(orientations)), width, height) == (8, 8, 320, 240)
    assert 0 < quality <= 100


def test_what_comes_out_is_what_ringmatch_says_outside(sandbox):
    import ringmatch

    outside = ringmatch.pdq(picture(seed=3))
    orientations, quality, *_ = sandbox.facts(picture(seed=3))
    assert (tuple(orientations), quality) == (tuple(outside.dihedral()), outside.quality)


def test_exact_hashes_are_those_of_the_file():
    data = picture()
    facts = services.read_picture(data)
    assert facts.sha256 == hashlib.sha256(data).digest() and facts.md5 == hashlib.md5(data).digest()
    assert facts.pdq == facts.pdq_orientations[0]


def test_a_picture_lying_on_its_side_is_measured_and_shown_upright(sandbox):
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = picture(size=(1600, 900), exif=exif.tobytes())
    assert sandbox.facts(lying)[2:] == (900, 1600)
    width, height = Image.open(io.BytesIO(sandbox.preview(lying))).size
    assert (width, height) == (90, 160)


def test_a_preview_is_small_grey_and_has_nothing_in_it_but_pixels(sandbox):
    data = sandbox.preview(picture(size=(1600, 900), comment=b"who took it"))
    preview = Image.open(io.BytesIO(data))
    assert (preview.size, preview.mode, preview.info) == ((160, 90), "L", {})
    assert data.count(b"IDAT") == 1 and b"tEXt" not in data and b"took" not in data


def test_detail_finer_than_a_twentieth_of_the_preview_is_gone(sandbox):
    def contrast(period):
        values = np.asarray(Image.open(io.BytesIO(sandbox.preview(stripes(period)))), dtype=float)[:, 20:-20]
        return (values.max() - values.min()) / 255

    assert contrast(8) < 0.1 and contrast(80) > 0.8


def test_what_is_transparent_lies_over_white(sandbox):
    out = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(out, "PNG")
    assert np.asarray(Image.open(io.BytesIO(sandbox.preview(out.getvalue())))).min() == 255


# ---- bad input -------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_a_truncated_picture_is_undecodable(kind):
    whole = picture(size=(800, 600), kind=kind)
    for read in (services.read_picture, services.blurred_preview):
        with pytest.raises(Undecodable):
            read(whole[: len(whole) // 3])


BOMBS = {
    "header of 60000 x 60000": png(60_000, 60_000, b""),
    "30000 x 30000 and 50 MB of zeros": png(30_000, 30_000, bytes(50_000_000)),
    "small picture with 400 MB of zeros": png(7_990, 7_990, bytes(400_000_000)),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_decompression_bomb_ends_quickly_and_harms_nothing(name):
    bomb = BOMBS[name]
    assert len(bomb) < 500_000
    for read in (services.read_picture, services.blurred_preview):
        if "small" in name:
            read(bomb)  # as many pixels as it says, and what comes behind them is never unpacked
        else:
            with pytest.raises(TooLarge):
                read(bomb)
    assert services.read_picture(picture()).width == 320


def test_more_bytes_than_are_read_are_refused_before_a_decoder_sees_them(monkeypatch):
    monkeypatch.setattr(services.sandbox, "default", lambda: pytest.fail("a decoder was asked"))
    with pytest.raises(TooLarge):
        services.read_picture(b"\xff\xd8\xff" + bytes(services.MAX_BYTES))


@pytest.mark.parametrize(
    "data", [b"", b"x", b"<html></html>", b"GIF", b"%PDF-1.7" + bytes(100), b"%!PS-Adobe" + bytes(100), b"PK\3\4" * 9]
)
def test_what_is_no_picture_never_reaches_a_decoder(data, monkeypatch):
    monkeypatch.setattr(services.sandbox, "default", lambda: pytest.fail("a decoder was asked"))
    with pytest.raises(Undecodable):
        services.read_picture(data)


def test_mutated_files_never_cost_more_than_a_decoder(sandbox):
    seed = random.randrange(2**32)
    randomness = random.Random(seed)
    originals = [picture(kind=kind) for kind in ("JPEG", "PNG", "WEBP", "GIF", "TIFF", "BMP", "AVIF")]
    outcomes = {"read": 0, "refused": 0}
    for count in range(350):
        data = bytearray(originals[count % 7])
        for _ in range(randomness.randint(1, 12)):
            data[randomness.randrange(len(data) if count % 2 else 200)] = randomness.randrange(256)
        try:
            sandbox.facts(bytes(data))
            outcomes["read"] += 1
        except (Undecodable, TooLarge):
            outcomes["refused"] += 1
    assert min(outcomes.values()) > 20, f"seed {seed}: {outcomes}"
    assert sandbox.facts(picture())[3] == 240


def test_open_descriptors_stay_constant_over_deaths(sandbox):
    sandbox.facts(picture())
    before = len(os.listdir("/proc/self/fd"))
    for _ in range(20):
        sandbox.canary("open")
        sandbox.facts(picture())
    assert len(os.listdir("/proc/self/fd")) == before


# ---- walls -----------------------------------------------------------------------------------------------------------------
FORBIDDEN = ["open", "write", "socket", "connect", "fork", "exec", "ptrace", "kill", "code"]


@pytest.mark.parametrize("act", FORBIDDEN)
def test_what_is_forbidden_kills_the_decoder_and_the_next_picture_is_read(sandbox, act):
    assert sandbox.canary(act) == "SIGSYS"
    assert sandbox.facts(picture())[2] == 320


def test_too_much_memory_is_refused_and_the_decoder_lives_on(sandbox):
    before = _decoder_of(sandbox).process
    assert sandbox.canary("memory") == "too_large"
    assert _decoder_of(sandbox).process == before


@pytest.mark.parametrize("act, outcome", [("hang", "hung"), ("lie", "lied")])
def test_a_decoder_that_hangs_or_lies_is_replaced(sandbox, act, outcome):
    before = _decoder_of(sandbox).process
    assert sandbox.canary(act) == outcome
    assert sandbox.facts(picture())[2] == 320
    assert _decoder_of(sandbox).process != before
    assert not Path(f"/proc/{before}").exists()


# What each wall alone answers; with no wall at all every act succeeds, so the canaries themselves are proved too.
ALONE = [
    (0, {"open": "done", "write": "done", "socket": "done", "fork": "done", "ptrace": "done", "code": "done",
         "connect": "Connection refused"}),
    (layers.SECCOMP, dict.fromkeys(FORBIDDEN, "SIGSYS")),
    (layers.LIMITS, {"write": "File too large", "memory": "too_large"}),
    (layers.LANDLOCK, {"open": "Permission denied", "write": "Permission denied"}),
    (layers.NAMESPACES, {"connect": "Network is unreachable"}),
    (layers.USER | layers.LIMITS, {"fork": "Resource temporarily unavailable"}),
]  # fmt: skip


@pytest.mark.parametrize("only, expected", ALONE, ids=lambda value: str(value) if isinstance(value, int) else "")
def test_each_wall_holds_alone(only, expected):
    with Sandbox(canaries=True, only=only) as alone:
        standing = set(alone.layers())
        wanted = {name for bit, name in layers.NAMES.items() if only & bit}
        if wanted - standing:
            assert not (wanted - standing) & {"limits", "seccomp"}
            pytest.skip(f"this kernel or container has no {sorted(wanted - standing)}")
        assert {act: alone.canary(act) for act in expected} == expected


def test_the_layers_that_must_hold_do(sandbox):
    assert {"limits", "seccomp"} <= set(sandbox.layers())
    if os.geteuid() == 0:
        assert "user" in sandbox.layers()


def test_without_a_layer_that_must_hold_nothing_is_decoded():
    with Sandbox(only=layers.ALL & ~layers.SECCOMP) as open_house, pytest.raises(SandboxDown):
        open_house.facts(picture())


def test_a_decoder_has_nothing_but_its_socket_and_no_privilege(sandbox):
    sandbox.facts(picture())
    process = _decoder_of(sandbox).process
    if os.geteuid() == 0:
        assert [entry.name for entry in Path(f"/proc/{process}/fd").iterdir()] == ["3"]
    status = dict(
        line.split(":\t", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines() if ":\t" in line
    )
    assert (status["CapEff"], status["CapPrm"], status["NoNewPrivs"], status["Seccomp"]) == (
        "0" * 16,
        "0" * 16,
        "1",
        "2",
    )
    assert "0" not in status["Uid"].split() and status["Groups"].strip() in {"", "0"} if os.geteuid() == 0 else True


def test_the_zygote_has_one_thread_and_none_of_our_environment(sandbox, monkeypatch):
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "canary-value")
    with Sandbox() as fresh:
        fresh.facts(picture())
        zygote = fresh._zygote.process_id
        assert len(os.listdir(f"/proc/{zygote}/task")) == 1
        if os.geteuid() == 0:
            assert b"canary-value" not in Path(f"/proc/{zygote}/environ").read_bytes()


SEEN_FROM_BELOW = """
import sys
from vigil.matching.sandbox import Sandbox
with Sandbox(canaries=True) as sandbox:
    print(*sandbox.layers(), sandbox.canary("open"), sandbox.canary("fork"), sandbox.facts(sys.stdin.buffer.read())[2])
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_an_ordinary_user_is_locked_in_too(python_for_everybody):
    as_user = {"user": 61_184, "group": 61_184, "extra_groups": [], "cwd": "/", "env": {"PYTHONPATH": str(PROJECT_DIR)}}
    done = subprocess.run(
        [python_for_everybody, "-c", SEEN_FROM_BELOW], input=picture(), capture_output=True, timeout=60, **as_user
    )
    said = done.stdout.decode().split()
    assert {"limits", "seccomp"} <= set(said) and said[-3:] == ["SIGSYS", "SIGSYS", "320"], done.stderr[-500:]
    assert "user" not in said


@pytest.fixture
def python_for_everybody():
    """This environment under an interpreter that other users can read (root's own may lie in /root)."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    home = Path(tempfile.mkdtemp())
    for folder in (home, home / "bin", home / "lib" / version):
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o755)
    (home / "lib").chmod(0o755)
    (home / "lib" / version / "site-packages").symlink_to(sysconfig.get_path("purelib"))
    for interpreter in (os.path.realpath(sys.executable), f"/usr/bin/{version}"):
        (home / "bin" / "python").unlink(missing_ok=True)
        (home / "bin" / "python").symlink_to(interpreter)
        (home / "pyvenv.cfg").write_text(f"home = {os.path.dirname(interpreter)}\n")
        try:
            probe = subprocess.run(
                [home / "bin" / "python", "-c", "import vigil, PIL, ringmatch"], user=61_184, group=61_184, extra_groups=[],
                cwd="/", env={"PYTHONPATH": str(PROJECT_DIR)}, capture_output=True, timeout=60,
            )  # fmt: skip
        except OSError:
            continue
        if probe.returncode == 0:
            yield str(home / "bin" / "python")
            break
    else:
        pytest.skip("this clone or its interpreter is in a folder that other users cannot read")
    shutil.rmtree(home)


# ---- the filter as a program -------------------------------------------------------------------------------------------------
def _verdict(program, architecture, number, protection=0):
    """What the kernel would answer: a slow, obvious interpreter of the six instructions that are used."""
    data = {0: number, 4: architecture, 32: protection}
    at, value = 0, 0
    while True:
        code, yes, no, k = struct.unpack_from("HBBI", program, 8 * at)
        at += 1
        match code:
            case 0x20:
                value = data[k]
            case 0x15:
                at += yes if value == k else no
            case 0x45:
                at += yes if value & k else no
            case 0x06:
                return k
            case _:
                raise AssertionError(hex(code))


@pytest.mark.parametrize("machine, architecture, column", [("x86_64", 0xC000003E, 0), ("aarch64", 0xC00000B7, 1)])
def test_the_filter_allows_its_list_and_kills_for_everything_else(machine, architecture, column):
    program = layers.seccomp_program(machine)
    listed = {pair[column] for pair in layers._CALLS.values()} | {
        pair[column] for pair in layers._NO_EXEC_CALLS.values()
    }
    allowed = {number for number in range(1024) if _verdict(program, architecture, number) == layers.ALLOW}
    assert allowed == listed
    assert all(_verdict(program, 0x40000003, number) == layers.KILL_PROCESS for number in range(1024))  # 32-bit calls
    assert all(
        _verdict(program, architecture, 0x40000000 | number) == layers.KILL_PROCESS for number in range(1024)
    )  # x32
    for pair in layers._NO_EXEC_CALLS.values():
        assert _verdict(program, architecture, pair[column], protection=7) == layers.KILL_PROCESS
        assert _verdict(program, architecture, pair[column], protection=3) == layers.ALLOW


def test_a_machine_without_a_list_of_calls_gets_no_decoder():
    with pytest.raises(layers.LayerMissing):
        layers.seccomp_program("riscv64")


# ---- the pool ------------------------------------------------------------------------------------------------------------------
def test_a_decoder_that_somebody_else_kills_costs_nothing(sandbox):
    sandbox.facts(picture())
    os.kill(_decoder_of(sandbox).process, signal.SIGKILL)
    assert sandbox.facts(picture())[2] == 320


def test_a_zygote_that_dies_is_started_again(sandbox):
    sandbox.facts(picture())
    decoder, zygote = _decoder_of(sandbox).process, sandbox._zygote.process_id
    os.kill(zygote, signal.SIGKILL)
    _wait_for_the_end_of(decoder)
    assert sandbox.facts(picture())[2] == 320
    assert sandbox._zygote.process_id != zygote


def test_a_decoder_is_replaced_after_its_share_of_pictures(monkeypatch):
    monkeypatch.setattr("vigil.matching.sandbox.PICTURES_A_DECODER", 3)
    with Sandbox() as pool:
        used = []
        for _ in range(6):
            with pool._borrowed() as decoder:
                used.append(decoder.process)
                decoder.ask(1, picture(), limit=1000)
    assert used[0] == used[1] == used[2] != used[3] == used[4] == used[5]


def test_nothing_is_left_running_when_the_caller_dies():
    code = (
        "import os, sys, signal\nfrom vigil.matching.sandbox import Sandbox\n"
        "sandbox = Sandbox()\nsandbox.layers()\n"
        "with sandbox._borrowed() as decoder: print(sandbox._zygote.process_id, decoder.process, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, cwd=PROJECT_DIR, timeout=60)
    left = [int(process) for process in done.stdout.split()]
    assert len(left) == 2
    for process in left:
        _wait_for_the_end_of(process)


def _wait_for_the_end_of(process):
    deadline = time.monotonic() + 10
    while _state(process) != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _state(process):
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return "Z"


def test_threads_share_the_pool():
    results = []
    with Sandbox(workers=2) as shared:
        threads = [
            threading.Thread(target=lambda seed=seed: results.append(shared.facts(picture(seed)))) for seed in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(results) == 8 and len({bytes(orientations[0]) for orientations, *_ in results}) == 8


def test_a_closed_sandbox_says_that_it_is_down():
    with Sandbox() as pool:
        pool.facts(picture())
    with pytest.raises(SandboxDown):
        pool.facts(picture())
