"""A word-count server and its clients in one program, with streams, timeouts and a task group.

python -m jvloop examples/streams_client_server.py --clients 20
"""

from __future__ import annotations

import argparse
import asyncio
import json

TEXT = "the loop runs the callbacks and the callbacks feed the loop"


async def count_words(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer each line with one line of JSON: its words and how often each occurs."""
    try:
        async with asyncio.timeout(30):
            while line := await reader.readline():
                counts: dict[str, int] = {}
                for word in line.decode().split():
                    counts[word] = counts.get(word, 0) + 1
                writer.write(json.dumps(counts).encode() + b"\n")
                await writer.drain()
    except (ConnectionError, TimeoutError) as error:
        print(f"a client is gone: {error!r}")
    finally:
        writer.close()


async def ask(port: int, text: str) -> dict[str, int]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(text.encode() + b"\n")
        async with asyncio.timeout(5):
            answer: dict[str, int] = json.loads(await reader.readline())
        return answer
    finally:
        writer.close()
        await writer.wait_closed()


async def main(clients: int) -> None:
    server = await asyncio.start_server(count_words, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with server, asyncio.TaskGroup() as group:
        answers = [group.create_task(ask(port, f"{TEXT} {'again ' * i}")) for i in range(clients)]
    total = sum(sum(answer.result().values()) for answer in answers)
    loop = type(asyncio.get_running_loop())
    print(f"{clients} clients, {total} words counted on {loop.__module__}.{loop.__qualname__}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Count words over a connection.")
    parser.add_argument("--clients", type=int, default=20)
    asyncio.run(main(parser.parse_args().clients))
