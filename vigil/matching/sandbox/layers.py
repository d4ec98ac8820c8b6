"""The walls around a decoder, put up by the process that is about to stand inside. Reference: security.md section f.

In the zygote, for all decoders: no new privileges, namespaces of their own (network, IPC, host name), an unused user when root, no
capability. In each decoder: resource limits, Landlock (no file, no network), seccomp (a short list of allowed system calls; any
other kills the process). All by `ctypes`: no helper program is needed. Limits and seccomp must hold; the others are put up
where the kernel lets us and reported where not.
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
# Numbers that no account has; the second is for user namespaces that know 16 bits only.
UNUSED_USERS = (1_879_048_193, 61_183, 65_534)
ADDRESS_SPACE_BYTES = 1536 * 1024**2
CPU_SECONDS = 40  # of a decoder's life; the caller replaces it before
CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWNET = 0x04000000, 0x08000000, 0x10000000, 0x40000000
CAPABILITY_VERSION = 0x20080522
PROT_EXEC = 4

LIMITS, USER, LANDLOCK, SECCOMP, NAMESPACES = 1, 2, 4, 8, 16
NAMES = {LIMITS: "limits", USER: "user", NAMESPACES: "namespaces", LANDLOCK: "landlock", SECCOMP: "seccomp"}
ALL = sum(NAMES)
MUST_HOLD = LIMITS | SECCOMP

# Number of each allowed call: (x86-64, arm64). Nothing that opens, stats, connects, forks, signals, traces or maps code. A trace of
# all codecs shows the socket, memory, and clock and random numbers of the interpreter; the last row is for other C libraries.
_CALLS: dict[str, tuple[int, int]] = {
    "read": (0, 63), "write": (1, 64), "close": (3, 57), "recvfrom": (45, 207), "sendto": (44, 206),
    "munmap": (11, 215), "brk": (12, 214), "mremap": (25, 216), "madvise": (28, 233), "futex": (202, 98),
    "clock_gettime": (228, 113), "getrandom": (318, 278), "rt_sigprocmask": (14, 135), "rt_sigreturn": (15, 139),
    "exit": (60, 93), "exit_group": (231, 94), "restart_syscall": (219, 128),
    "sched_yield": (24, 124), "sched_getaffinity": (204, 123), "sysinfo": (99, 179), "getpid": (39, 172), "gettid": (186, 178),
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
    """Become an unused user when root (RLIMIT_NPROC does not bind root). 0 when not root, or where no other user exists."""
    if os.geteuid() != 0:
        return 0
    for number in UNUSED_USERS:
        try:
            os.setgroups([])
            os.setresgid(number, number, number)
            os.setresuid(number, number, number)
        except OSError:
            continue
        return USER
    return 0


def enter_namespaces() -> int:
    """A network without any interface, and IPC and host name of one's own. 0 where the kernel or a container forbids it."""
    kinds = CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS
    if os.geteuid() != 0:
        kinds |= CLONE_NEWUSER  # what lets an ordinary user have the others
    return NAMESPACES if _libc().unshare(kinds) == 0 else 0


def drop_capabilities() -> None:
    """None is left: an ordinary user gets all of them inside a user namespace."""
    header, data = struct.pack("Ii", CAPABILITY_VERSION, 0), struct.pack("6I", *([0] * 6))
    if _libc().capset(header, data) != 0:
        raise LayerMissing(f"capset: {os.strerror(ctypes.get_errno())}")


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
    allowed = [pair[column] for pair in _CALLS.values()]
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


def give_up_privileges(wanted: int = ALL) -> int:
    """In the zygote: what all its decoders inherit. Returns which layers hold. Raises LayerMissing."""
    _prctl(PR_SET_NO_NEW_PRIVS, 1)
    held = enter_namespaces() if wanted & NAMESPACES else 0
    held |= drop_user() if wanted & USER else 0
    if wanted & (USER | NAMESPACES):
        drop_capabilities()
    _prctl(PR_SET_DUMPABLE, 0)
    return held


def lock_in(wanted: int = ALL) -> int:
    """In a decoder: put up the rest. Returns which layers hold. Raises LayerMissing when one that must hold cannot be put up."""
    held = limit_resources() if wanted & LIMITS else 0
    held |= forbid_files_and_network() if wanted & LANDLOCK else 0
    held |= filter_system_calls() if wanted & SECCOMP else 0
    return held
