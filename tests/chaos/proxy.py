"""A TCP proxy that cuts, stalls, slows and refuses, on loopback.

    client ---> [listener] ---> pump ---> broker
           <---             <--- pump <---

All links of a process live on one thread with an event loop; the methods may be
called from any other and return when it is done.

    cut      every connection ends with a reset; new ones are taken
    stall    connections stay and carry nothing, new ones neither
    slow     so many bytes a second in each direction of each connection
    refuse   nothing listens, and what was open is cut
    open     ends a stall, a slow time or a refusal
"""
import asyncio
import socket
import struct
import threading

SIZE = 65536
TIMEOUT_S = 20
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: on, 0 s


class Loop:
    """The thread that all proxies of this process share."""

    def __init__(self):
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever,
                                       daemon=True)
        self.thread.start()

    def call(self, coroutine):
        return asyncio.run_coroutine_threadsafe(
            coroutine, self.loop).result(TIMEOUT_S)

    def end(self):
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(TIMEOUT_S)


class Proxy:
    def __init__(self, loop, port, target, listener=None):
        """To `target` (host, port).  `listener(port)` makes the socket, where
        that is not simply one on loopback."""
        self.loop, self.port, self.target = loop, port, target
        self.listener = listener
        self.server, self.rate = None, 0
        self.writers, self.flows = set(), None
        self.taken = 0
        loop.call(self.begin())

    async def begin(self):
        self.flows = asyncio.Event()
        self.flows.set()
        await self.listen()

    async def listen(self):
        where = {"sock": self.listener(self.port)} if self.listener else {
            "host": "127.0.0.1", "port": self.port, "reuse_address": True}
        self.server = await asyncio.start_server(self.serve, **where)

    async def serve(self, reader, writer):
        self.taken += 1
        self.writers.add(writer)
        there = None
        try:
            await self.flows.wait()
            back, there = await asyncio.open_connection(*self.target)
            self.writers.add(there)
            await asyncio.gather(self.pump(reader, there),
                                 self.pump(back, writer))
        except OSError:
            pass
        finally:
            for one in (writer, there):
                if one:
                    one.transport.abort()
                    self.writers.discard(one)

    async def pump(self, reader, writer):
        try:
            while data := await reader.read(SIZE):
                while data:
                    await self.flows.wait()
                    part, data = data[:self.step()], data[self.step():]
                    if self.rate:
                        await asyncio.sleep(len(part) / self.rate)
                    writer.write(part)
                    await writer.drain()
        finally:
            # The other direction ends too: half an end helps nobody here.
            writer.transport.abort()

    def step(self):
        return max(self.rate // 20, 1) if self.rate else SIZE

    def cut(self):
        async def cut_now():
            for writer in list(self.writers):
                sock = writer.get_extra_info("socket")
                if sock and sock.fileno() >= 0:
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                writer.transport.abort()
        self.loop.call(cut_now())

    def stall(self):
        self.loop.loop.call_soon_threadsafe(self.flows.clear)

    def slow(self, rate):
        self.rate = rate

    def refuse(self):
        async def close():
            self.server.close()
        self.loop.call(close())
        self.cut()

    def open(self):
        async def open_again():
            self.rate = 0
            self.flows.set()
            if not self.server.is_serving():
                await self.listen()
        self.loop.call(open_again())
