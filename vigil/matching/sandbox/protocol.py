"""The frames between caller and decoder: fixed and binary, so that the caller never unpickles anything."""

from __future__ import annotations

import struct

FACTS, PREVIEW, CANARY = 1, 2, 9
OK, UNDECODABLE, TOO_LARGE = 0, 1, 2
HEADER = struct.Struct("!BI")
FACTS_BODY = struct.Struct("!256sHII")
