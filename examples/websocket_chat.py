"""A chat room over WebSocket, both ends.

python -m jvloop examples/websocket_chat.py serve --port 8765
python -m jvloop examples/websocket_chat.py join ada --port 8765      # in as many terminals as you like
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys

from websockets.asyncio.client import connect
from websockets.asyncio.server import ServerConnection, broadcast, serve
from websockets.exceptions import ConnectionClosed

members: dict[ServerConnection, str] = {}


async def chat(connection: ServerConnection) -> None:
    """Serve one member: the first message is a name, each later one goes to all."""
    try:
        members[connection] = str(await connection.recv())
        broadcast(members, f"* {members[connection]} joined, {len(members)} here")
        async for message in connection:
            broadcast(members, f"{members[connection]}: {message!s}")
    except ConnectionClosed:
        pass
    finally:
        if name := members.pop(connection, None):
            broadcast(members, f"* {name} left")


async def run_server(port: int) -> None:
    async with serve(chat, "127.0.0.1", port) as server:
        bound_port = next(iter(server.sockets)).getsockname()[1]
        print(f"listening on ws://127.0.0.1:{bound_port}", flush=True)
        await server.serve_forever()


async def standard_input() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


async def run_member(name: str, port: int) -> None:
    """Print what others say, send what is typed; ends at the end of the input."""
    async with connect(f"ws://127.0.0.1:{port}") as connection:

        async def show() -> None:
            async for message in connection:
                print(message, flush=True)

        await connection.send(name)
        shown = asyncio.create_task(show())
        keyboard = await standard_input()
        while line := await keyboard.readline():
            await connection.send(line.decode().rstrip("\n"))
        await connection.close()
        await shown


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat room.")
    commands = parser.add_subparsers(dest="command", required=True)
    for command, explanation in (("serve", "open the room"), ("join", "enter it")):
        subparser = commands.add_parser(command, help=explanation)
        if command == "join":
            subparser.add_argument("name")
        subparser.add_argument("--port", type=int, default=8765)
    arguments = parser.parse_args()
    if arguments.command == "serve":
        asyncio.run(run_server(arguments.port))
    else:
        asyncio.run(run_member(arguments.name, arguments.port))


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
