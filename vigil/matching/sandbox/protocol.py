"""The frames between caller, zygote and decoder: fixed and binary, so that the caller never unpickles anything."""

from __future__ import annotations

import struct

# Caller to decoder: operation, length, bytes. Decoder to caller: status, length, body.
FACTS, THUMBNAIL, CANARY = 1, 2, 9
# PROGRESS comes at most once before the answer: how many pixels will be decoded.
OK, UNDECODABLE, TOO_LARGE, PROGRESS = 0, 1, 2, 3
PIXELS = struct.Struct("!I")
HEADER = struct.Struct("!BI")
FACTS_BODY = struct.Struct("!256sHII")  # eight hashes, quality, width, height
THUMBNAIL_HEAD = struct.Struct("!BB")  # width, height; then that many grey bytes
MAX_SIDE = 160
MAX_THUMBNAIL_BYTES = THUMBNAIL_HEAD.size + MAX_SIDE * MAX_SIDE
MAX_BYTES = 32 * 1024 * 1024
MAX_PIXELS = 64_000_000

# Caller to zygote (with the decoder's socket for a fork): operation, process. Zygote to caller: process, how it ended.
FORK, END = b"F", b"E"
COMMAND = struct.Struct("!cI")
REPLY = struct.Struct("!II")
# The zygote's first message: whether it is ready, which layers hold already; or the name of what went wrong.
READY = struct.Struct("!BB32s")
