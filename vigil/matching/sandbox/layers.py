"""The walls around a decoder, put up by the process that is about to stand inside. Reference: security.md section f.

seccomp (a filter of allowed system calls), Landlock (no file, no network), resource limits, an unused user when root, no new
privileges. A closed socket ends the process, so it does not outlive its caller (a parent-death signal would
follow the thread that started it, not the process). All by `ctypes`: no helper program is needed. seccomp and limits must hold; Landlock is used
where the kernel has it and reported where not.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import struct

PR_SET_DUMPABLE, PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP = 4, 38, 22
SECCOMP_MODE_FILTER = 2
KILL_PROCESS, ALLOW = 0x80000000, 0x7FFF0000
NOBODY = 65_534
ADDRESS_SPACE_BYTES = 2 * 1024**3
CPU_SECONDS = 120
PROT_EXEC = 4

LIMITS, USER, LANDLOCK, SECCOMP = 1, 2, 4, 8
NAMES = {LIMITS: "limits", USER: "user", LANDLOCK: "landlock", SECCOMP: "seccomp"}

# Number of each allowed call: (x86-64, arm64). Nothing that opens, connects, forks, traces or maps code.
_CALLS: dict[str, tuple[int | None, int | None]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "poll": (7, None), "ppoll": (271, 73), "lseek": (8, 62),
    "munmap": (11, 215), "brk": (12, 214), "rt_sigaction": (13, 134), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "readv": (19, 65), "writev": (20, 66), "sched_yield": (24, 124), "mremap": (25, 216), "madvise": (28, 233),
    "recvfrom": (45, 207), "sendto": (44, 206), "recvmsg": (47, 212), "sendmsg": (46, 211), "exit": (60, 93), "futex": (202, 98),
    "sched_getaffinity": (204, 123), "clock_gettime": (228, 113), "exit_group": (231, 94), "getrandom": (318, 278),
    "gettid": (186, 178), "getpid": (39, 172), "restart_syscall": (219, 128), "sigaltstack": (131, 132), "newfstatat": (262, 79),
    "fstat": (5, 80),
}  # fmt: skip
_NO_EXEC_CALLS = {"mmap": (9, 222), "mprotect": (10, 226)}  # third argument: protection
_ARCHITECTURES = {"x86_64": (0xC000003E, 0), "aarch64": (0xC00000B7, 1)}


class LayerMissing(RuntimeError):
    """A layer that must hold cannot be put up."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *arguments: object) -> None:
    if _libc().prctl(option, *arguments, *([0] * (4 - len(arguments)))) != 0:
        raise LayerMissing(f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def limit_resources() -> int:
    """Memory, time, descriptors; no file may be written, no process started."""
    for what, value in (
        (resource.RLIMIT_AS, ADDRESS_SPACE_BYTES),
        (resource.RLIMIT_CPU, CPU_SECONDS),
        (resource.RLIMIT_NOFILE, 16),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NPROC, 0),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(what, (value, value))
    return LIMITS


def drop_user() -> int:
    """Become nobody when root. RLIMIT_NPROC does not bind root, so this comes with it."""
    if os.geteuid() != 0:
        return 0
    os.setgroups([])
    os.setresgid(NOBODY, NOBODY, NOBODY)
    os.setresuid(NOBODY, NOBODY, NOBODY)
    return USER


def forbid_files_and_network() -> int:
    """Landlock: handle every right that this kernel knows and allow none. 0 where the kernel has no Landlock."""
    libc = _libc()
    abi = libc.syscall(444, None, 0, 1)
    if abi < 1:
        return 0
    file_rights = {1: 13, 2: 14, 3: 15, 4: 15}.get(abi, 16)
    attribute = struct.pack("QQQ", (1 << file_rights) - 1, 3 if abi >= 4 else 0, 3 if abi >= 6 else 0)
    size = 8 if abi < 4 else 16 if abi < 6 else 24
    ruleset = libc.syscall(444, attribute, size, 0)
    if ruleset < 0 or libc.syscall(446, ruleset, 0) != 0:
        return 0
    os.close(ruleset)
    return LANDLOCK


def _statement(code: int, k: int, jump_true: int = 0, jump_false: int = 0) -> bytes:
    return struct.pack("HBBI", code, jump_true, jump_false, k)


def seccomp_program(machine: str) -> bytes:
    """The filter as BPF: the right architecture, then the allowed calls; mapping memory as code kills like all else."""
    if machine not in _ARCHITECTURES:
        raise LayerMissing(f"no list of system calls for {machine}")
    architecture, column = _ARCHITECTURES[machine]
    load, equal, any_bit, give = 0x20, 0x15, 0x45, 0x06
    allowed = [number for pair in _CALLS.values() if (number := pair[column]) is not None]
    program = [
        _statement(load, 4), _statement(equal, architecture, 1, 0), _statement(give, KILL_PROCESS),
        _statement(load, 0),
    ]  # fmt: skip
    for number in allowed:
        program += [_statement(equal, number, 0, 1), _statement(give, ALLOW)]
    for number in (pair[column] for pair in _NO_EXEC_CALLS.values()):
        program += [
            _statement(equal, number, 0, 4), _statement(load, 32), _statement(any_bit, PROT_EXEC, 0, 1),
            _statement(give, KILL_PROCESS), _statement(give, ALLOW),
        ]  # fmt: skip
    return b"".join([*program, _statement(give, KILL_PROCESS)])


def filter_system_calls() -> int:
    """seccomp: from here on every other system call kills this process. Raises LayerMissing."""
    program = ctypes.create_string_buffer(seccomp_program(platform.machine()))
    count = (len(program) - 1) // 8
    descriptor = struct.pack("HxxxxxxP", count, ctypes.addressof(program))
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    _prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.c_char_p(descriptor))
    return SECCOMP


def lock_in() -> int:
    """Put up every layer; returns which hold, as a sum. Raises LayerMissing when one that must hold cannot be put up."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    held = limit_resources() | drop_user()
    _prctl(PR_SET_DUMPABLE, 0)
    return held | forbid_files_and_network() | filter_system_calls()
