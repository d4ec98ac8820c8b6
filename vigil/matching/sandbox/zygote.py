"""The process that decoders are forked from: it has loaded every decoder, holds no key, no socket but one and no privilege.

Run as a program with its socket's descriptor, the layers wanted and whether canaries may be asked for. It forks a decoder
for each FORK (the decoder's socket comes with the message), ends and reaps one for each END, and exits when its caller does.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys

from vigil.matching.sandbox import decoder, layers
from vigil.matching.sandbox.protocol import COMMAND, END, FORK, READY, REPLY
from vigil.matching.sandbox.worker import serve


def main() -> None:
    """Warm up, give privileges away, then fork and reap as asked."""
    control, wanted, has_canaries = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2]), sys.argv[3] == "canaries"
    try:
        decoder.warm_up()
        held = layers.give_up_privileges(wanted)
    except Exception as exc:
        control.send(READY.pack(0, 0, type(exc).__name__.encode()[:32]))
        return
    gc.collect()
    gc.freeze()  # what was loaded stays shared memory in every decoder
    control.send(READY.pack(1, held, b""))
    own_id, children = os.getpid(), set[int]()
    while True:
        message, descriptors, _, _ = socket.recv_fds(control, COMMAND.size, 1)
        if len(message) != COMMAND.size:
            return  # the caller is gone; the decoders get their death signal now
        command, process = COMMAND.unpack(message)
        if command == FORK and len(descriptors) == 1:
            child = os.fork()
            if child == 0:
                try:
                    serve(
                        descriptors[0], zygote=own_id, layers_wanted=wanted, layers_held=held, has_canaries=has_canaries
                    )
                finally:
                    os._exit(70)
            children.add(child)
            os.close(descriptors[0])
            control.send(REPLY.pack(child, 0))
        elif command == END and process in children:
            children.discard(process)
            os.kill(process, signal.SIGKILL)  # not reaped yet, so the number is still this decoder's
            control.send(REPLY.pack(process, os.waitpid(process, 0)[1]))
        else:
            return


if __name__ == "__main__":
    main()
