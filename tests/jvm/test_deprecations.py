"""No warning comes from the package, on any supported Python, where warnings are errors from the first import on."""

from __future__ import annotations

from pathlib import Path

from certificates import CA

from .support import run_python

PROGRAM = """
import asyncio, os, signal, ssl, sys
import jvloop

async def echo(reader, writer):
    writer.write(await reader.readline())
    await writer.drain()
    writer.close()
    await writer.wait_closed()

async def ask(port, **tls):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, **tls)
    writer.write(b"hello\\n")
    assert await reader.read() == b"hello\\n"
    writer.close()
    await writer.wait_closed()

async def serve(ours, theirs):
    server = await asyncio.start_server(echo, "127.0.0.1", 0, ssl=ours)
    async with server:
        await ask(server.sockets[0].getsockname()[1], **theirs)

class Datagrams(asyncio.DatagramProtocol):
    def __init__(self):
        self.got = asyncio.get_running_loop().create_future()
    def datagram_received(self, data, address):
        self.got.set_result(data)

async def udp(loop):
    near, protocol = await loop.create_datagram_endpoint(Datagrams, local_addr=("127.0.0.1", 0))
    far, _ = await loop.create_datagram_endpoint(Datagrams, remote_addr=near.get_extra_info("sockname"))
    far.sendto(b"datagram")
    assert await protocol.got == b"datagram"
    far.close()
    near.close()

async def pipe(loop):
    read_end, write_end = os.pipe()
    reader = asyncio.StreamReader()
    source, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), open(read_end, "rb", 0))
    sink, _ = await loop.connect_write_pipe(asyncio.Protocol, open(write_end, "wb", 0))
    sink.write(b"through")
    sink.close()
    assert await reader.read() == b"through"

async def child():
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", "print(input())", stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    assert await process.communicate(b"from a child\\n") == (b"from a child\\n", None)
    assert process.returncode == 0
    shell = await asyncio.create_subprocess_shell("exit 3")
    assert await shell.wait() == 3

async def signals(loop):
    seen = asyncio.Event()
    loop.add_signal_handler(signal.SIGUSR1, seen.set)
    os.kill(os.getpid(), signal.SIGUSR1)
    await seen.wait()
    loop.remove_signal_handler(signal.SIGUSR1)

async def main():
    loop = asyncio.get_running_loop()
    assert isinstance(loop, jvloop.Loop)
    await serve(None, {})
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[1])
    trusting = ssl.create_default_context(cafile=sys.argv[1])
    await serve(context, {"ssl": trusting, "server_hostname": "localhost"})
    await udp(loop)
    await pipe(loop)
    await child()
    await signals(loop)
    await loop.getaddrinfo("localhost", 1)
    assert await asyncio.to_thread(int) == 0
    loop.call_soon_threadsafe(int)
    await asyncio.sleep(0.001)

jvloop.run(main())
jvloop.run(main(), debug=True)
with asyncio.Runner(loop_factory=jvloop.new_event_loop) as runner:
    runner.run(main())
print("no warning")
"""


def test_a_whole_program(tmp_path: Path) -> None:
    certificate = tmp_path / "certificate.pem"
    issued = CA()
    leaf = issued.issue_cert("localhost")
    certificate.write_bytes(leaf.private_key_and_cert_chain_pem.bytes() + issued.cert_pem.bytes())
    done = run_python("-W", "error", "-c", PROGRAM, certificate, cwd=tmp_path)
    assert (done.stdout, done.stderr) == ("no warning\n", "")
