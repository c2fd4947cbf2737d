"""redis-py's asyncio client against a real Redis: plain, over TLS and on a Unix socket."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.asyncio import BlockingConnectionPool, Connection, Redis, SSLConnection, UnixDomainSocketConnection
from redis.exceptions import ConnectionError as RedisConnectionError

from .conftest import Run, Tls
from .database_servers import HOST, RedisServer, redis_server

Connect = Callable[[], Redis]
POOL_SIZE = 6  # the client loads the authority's certificates anew for each TLS connection

over_unix_too = pytest.mark.parametrize("connect", ["tcp", "tls", "unix"], indirect=True)


@pytest.fixture(scope="session")
def server(tls: Tls) -> Iterator[RedisServer]:
    with redis_server(tls) as server:
        yield server


@pytest.fixture(params=["tcp", "tls"])
def connect(request: pytest.FixtureRequest, server: RedisServer) -> Connect:
    """Makes a client with a pool of connections; the test closes it. It does not retry: what fails shall be seen."""
    options: dict[str, dict[str, Any]] = {
        "tcp": {"connection_class": Connection, "host": HOST, "port": server.port},
        "tls": {
            "connection_class": SSLConnection,
            "host": HOST,
            "port": server.tls_port,
            "ssl_ca_certs": str(server.ca_file),
        },
        "unix": {"connection_class": UnixDomainSocketConnection, "path": str(server.unix_path)},
    }

    def new_client() -> Redis:
        pool = BlockingConnectionPool(max_connections=POOL_SIZE, timeout=None, retry=None, **options[request.param])
        return Redis.from_pool(pool)

    return new_client


async def until_blocked(client: Redis, count: int) -> None:
    """Ask until the server has `count` clients in a blocking command."""
    while (await client.info("clients"))["blocked_clients"] != count:
        pass


@over_unix_too
def test_thousand_commands_at_once(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as client:
            await client.flushdb()

            async def use(number: int) -> None:
                assert await client.set(f"key:{number}", f"välue {number}")
                assert await client.get(f"key:{number}") == f"välue {number}".encode()
                await client.incrby("sum", number)

            await asyncio.gather(*[use(number) for number in range(350)])
            assert int(await client.get("sum")) == sum(range(350))
            assert await client.dbsize() == 351

    run(main())


def test_pipelines(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as client:
            await client.flushdb()

            async def fill(name: str, transaction: bool) -> None:
                async with client.pipeline(transaction=transaction) as pipeline:
                    for number in range(1000):
                        pipeline.rpush(name, number)
                    pipeline.lrange(name, 0, -1)
                    *lengths, values = await pipeline.execute()
                assert lengths == list(range(1, 1001))
                assert [int(value) for value in values] == list(range(1000))

            await asyncio.gather(*[fill(f"list:{number}", number % 2 == 0) for number in range(8)])

    run(main())


def test_values_of_mebibytes(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as client:
            values = [bytes([65 + number]) * (1_000_003 * (number + 1)) for number in range(4)]
            await asyncio.gather(*[client.set(f"big:{number}", value) for number, value in enumerate(values)])
            assert await client.mget([f"big:{number}" for number in range(4)]) == values
            await client.flushdb()

    run(main())


def test_every_subscriber_hears_every_message_in_order(run: Run, connect: Connect) -> None:
    async def main() -> None:
        subscribers, messages = 5, 200
        async with connect() as client:

            async def hear(all_here: asyncio.Barrier) -> list[bytes]:
                async with client.pubsub(ignore_subscribe_messages=False) as channel:
                    await channel.subscribe("news")
                    heard = channel.listen()
                    assert (await anext(heard))["type"] == "subscribe"
                    await all_here.wait()
                    return [(await anext(heard))["data"] for _ in range(messages)]

            all_here = asyncio.Barrier(subscribers + 1)
            hearing = [asyncio.create_task(hear(all_here)) for _ in range(subscribers)]
            await all_here.wait()
            for number in range(messages):
                assert await client.publish("news", f"message {number}") == subscribers
            for heard in await asyncio.gather(*hearing):
                assert heard == [f"message {number}".encode() for number in range(messages)]

    run(main())


@over_unix_too
def test_cancelled_command_takes_nothing_with_it(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as client:
            await client.flushdb()
            waiting = [asyncio.create_task(client.blpop("queue", timeout=0)) for _ in range(5)]
            await until_blocked(client, 5)
            for task in waiting:
                task.cancel()
            assert all(
                isinstance(outcome, asyncio.CancelledError)
                for outcome in await asyncio.gather(*waiting, return_exceptions=True)
            )
            await until_blocked(client, 0)  # the server saw the connections close
            await client.rpush("queue", "kept")
            assert await client.lpop("queue") == b"kept"
            assert await asyncio.gather(*[client.echo(f"{number}") for number in range(100)]) == [
                f"{number}".encode() for number in range(100)
            ]

    run(main())


def test_connection_killed_by_the_server(run: Run, connect: Connect) -> None:
    async def main() -> None:
        async with connect() as client, connect() as killer:
            await client.flushdb()
            waiting = asyncio.create_task(client.blpop("queue", timeout=0))
            await until_blocked(killer, 1)
            (blocked,) = [each for each in await killer.client_list() if each["cmd"] == "blpop"]
            await killer.client_kill_filter(_id=blocked["id"])
            with pytest.raises(RedisConnectionError):
                await waiting
            assert await client.ping()  # on a connection of its own

    run(main())
