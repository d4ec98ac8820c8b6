"""The server of the loopback web: HTTP/1.1, GET and HEAD only, one thread with an event loop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable
from http import HTTPStatus

from vigil_demo.world.site import Answer

HEAD_BYTES = 16_384

Respond = Callable[[str, str, str, bytes], Answer]


class LoopbackServer:
    """Serves `respond(method, host, path, body)` on 127.0.0.1 until it is closed."""

    def __init__(self, respond: Respond, port: int = 0) -> None:
        self._respond = respond
        # The protocol is named so that asyncio sends small answers at once (TCP_NODELAY).
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.bind(("127.0.0.1", port))
        self._socket.listen(256)
        self.port: int = self._socket.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, name="loopback-web", daemon=True)

    def start(self) -> None:
        """Begin to answer."""
        self._thread.start()

    def close(self) -> None:
        """Stop answering and free the port."""
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(timeout=10)
        self._socket.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_until_complete(self._serve())
        self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_server(self._converse, sock=self._socket, limit=HEAD_BYTES)
        await self._stop.wait()
        server.close()
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while await self._answer_one(reader, writer):
                pass
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, asyncio.CancelledError):
            pass
        finally:
            with contextlib.suppress(Exception):
                writer.close()

    async def _answer_one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = head.split("\r\n")
        method, target, _version = first.split(" ", 2)
        headers = {
            name.strip().lower(): value.strip() for name, _colon, value in (line.partition(":") for line in lines)
        }
        body = await reader.readexactly(min(int(headers.get("content-length", "0")), HEAD_BYTES))
        host = headers.get("host", "").partition(":")[0].lower()
        answer = self._respond(method, host, target, body)
        await self._send(writer, answer, with_body=method != "HEAD")
        return headers.get("connection", "").lower() != "close"

    async def _send(self, writer: asyncio.StreamWriter, answer: Answer, *, with_body: bool) -> None:
        phrase = HTTPStatus(answer.status).phrase
        lines = [
            f"HTTP/1.1 {answer.status} {phrase}", f"Content-Type: {answer.content_type}", f"Content-Length: {len(answer.body)}",
            *(f"{name}: {value}" for name, value in answer.headers), "", "",
        ]  # fmt: skip
        writer.write("\r\n".join(lines).encode("latin-1"))
        if with_body and answer.drip_seconds:
            for byte in answer.body:
                writer.write(bytes([byte]))
                await writer.drain()
                await asyncio.sleep(answer.drip_seconds / len(answer.body))
        elif with_body:
            writer.write(answer.body)
        await writer.drain()


def json_answer(value: object, status: int = 200) -> Answer:
    """An answer in JSON."""
    return Answer(status, "application/json", json.dumps(value).encode())
