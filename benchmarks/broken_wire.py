"""A wire between browser and server that can be cut at any moment, or just before an answer, and that can be long.

A TCP relay on a port of its own, in a thread of its own; what it does is set from other threads.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

CHUNK_BYTES = 64 * 1024


@dataclass(eq=False)
class Call:
    """One connection through the wire, and what has been asked over it."""

    near: asyncio.StreamWriter
    far: asyncio.StreamWriter
    asked: bytearray = field(default_factory=bytearray)

    def hang_up(self) -> None:
        # A reset, as when a router forgets the connection: no orderly end reaches either side.
        self.near.transport.abort()
        self.far.transport.abort()


class Wire:
    """Relays `port` to the server's port. While it is cut, connections break and new ones are reset."""

    def __init__(self, server_port: int, *, delay_s: float = 0.0) -> None:
        # `delay_s`: how much longer each way takes; a round trip is longer by twice that.
        self._server_port = server_port
        self._delay_s = delay_s
        self._calls: set[Call] = set()
        self._is_cut = False
        self._doomed: bytes = b""
        self._cut_happened = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        # From its own thread, for a browser's driver may have a loop running in this one.
        listening = asyncio.start_server(self._relay, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(listening, self._loop).result()
        self.port: int = self._server.sockets[0].getsockname()[1]

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def cut(self) -> None:
        self._loop.call_soon_threadsafe(self._cut)

    def cut_before_answer_to(self, asked: bytes) -> threading.Event:
        """The next request that holds `asked` arrives; the wire is cut as its answer sets out. The event tells when."""
        self._cut_happened = threading.Event()
        self._loop.call_soon_threadsafe(setattr, self, "_doomed", asked)
        return self._cut_happened

    def mend(self) -> None:
        self._loop.call_soon_threadsafe(setattr, self, "_is_cut", False)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        self._server.close()
        self._cut()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def _cut(self) -> None:
        self._is_cut = True
        for call in self._calls:
            call.hang_up()
        self._cut_happened.set()

    async def _relay(self, near_reader: asyncio.StreamReader, near: asyncio.StreamWriter) -> None:
        if self._is_cut:
            near.transport.abort()
            return
        if self._delay_s:
            # The handshake takes a round trip too.
            await asyncio.sleep(2 * self._delay_s)
        try:
            far_reader, far = await asyncio.open_connection("127.0.0.1", self._server_port)
        except OSError:
            near.transport.abort()
            return
        call = Call(near, far)
        self._calls.add(call)
        try:
            await asyncio.gather(self._carry_out(near_reader, call), self._carry_back(far_reader, call))
        except (OSError, asyncio.CancelledError):
            # Cancelled when the wire is closed; asyncio's streams would report that as a fault.
            call.hang_up()
        finally:
            self._calls.discard(call)
            near.close()
            far.close()

    async def _carry_out(self, reader: asyncio.StreamReader, call: Call) -> None:
        async with self._line_to(call.far) as send:
            while chunk := await reader.read(CHUNK_BYTES):
                call.asked += chunk
                send(chunk)

    async def _carry_back(self, reader: asyncio.StreamReader, call: Call) -> None:
        async with self._line_to(call.near) as send:
            while chunk := await reader.read(CHUNK_BYTES):
                if self._doomed and self._doomed in call.asked:
                    self._doomed = b""
                    self._cut()
                    break
                call.asked.clear()
                send(chunk)

    @asynccontextmanager
    async def _line_to(self, writer: asyncio.StreamWriter) -> AsyncIterator[Callable[[bytes], None]]:
        """What is sent arrives `delay_s` later, in order; what is under way at the end arrives still."""
        pending: asyncio.Queue[bytes] = asyncio.Queue()
        delivery = asyncio.create_task(self._deliver(pending, writer))

        def send(chunk: bytes) -> None:
            self._loop.call_later(self._delay_s, pending.put_nowait, chunk)

        try:
            yield send
            send(b"")
            await delivery
        finally:
            delivery.cancel()

    async def _deliver(self, pending: "asyncio.Queue[bytes]", writer: asyncio.StreamWriter) -> None:
        while chunk := await pending.get():
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof() and not writer.is_closing():
            writer.write_eof()


@contextmanager
def wire_to(server_port: int, *, delay_s: float = 0.0) -> Iterator[Wire]:
    wire = Wire(server_port, delay_s=delay_s)
    try:
        yield wire
    finally:
        wire.close()
