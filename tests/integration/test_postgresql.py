"""asyncpg against a real PostgreSQL: plain, over TLS (asyncpg upgrades by loop.start_tls) and on a Unix socket."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from .conftest import Run, Tls
from .database_servers import HOST, USER, PostgresqlServer, postgresql_server

asyncpg = pytest.importorskip("asyncpg", reason="asyncpg has no wheel for this interpreter")

Options = dict[str, Any]

over_unix_too = pytest.mark.parametrize("options", ["tcp", "tls", "unix"], indirect=True)


@pytest.fixture(scope="session")
def server(tls: Tls) -> Iterator[PostgresqlServer]:
    with postgresql_server(tls) as server:
        yield server


@pytest.fixture(params=["tcp", "tls"])
def options(request: pytest.FixtureRequest, server: PostgresqlServer, tls: Tls) -> Options:
    """What asyncpg.connect() and create_pool() take to get there."""
    # Of its own: HTTP clients set their protocols in the context that they are given, which PostgreSQL 17 refuses.
    client = ssl.create_default_context(cafile=tls.ca_file)
    ways: dict[str, Options] = {
        "tcp": {"host": HOST, "ssl": False},
        "tls": {"host": HOST, "ssl": client},
        "unix": {"host": str(server.unix_directory)},
    }
    return {"port": server.port, "user": USER, "database": "postgres", **ways[request.param]}


@pytest.fixture
def connected(options: Options) -> Callable[[], Any]:
    """A context manager of a connection."""

    class Connected:
        async def __aenter__(self) -> asyncpg.Connection:
            self.connection = await asyncpg.connect(**options)
            return self.connection

        async def __aexit__(self, *_: object) -> None:
            await self.connection.close()

    return Connected


async def until_sleeping(connection: asyncpg.Connection, count: int) -> None:
    """Ask until `count` backends execute pg_sleep."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND wait_event = 'PgSleep'"
    while await connection.fetchval(query) != count:
        pass


@over_unix_too
def test_the_connection_is_of_the_kind_that_was_asked_for(run: Run, options: Options, connected: Any) -> None:
    async def main() -> None:
        async with connected() as connection:
            encrypted = await connection.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
            assert encrypted == bool(options.get("ssl"))

    run(main())


@over_unix_too
def test_thousand_queries_over_a_pool(run: Run, options: Options) -> None:
    async def main() -> None:
        async with asyncpg.create_pool(min_size=4, max_size=10, **options) as pool:

            async def ask(number: int) -> int:
                row = await pool.fetchrow("SELECT $1::int AS number, $1::text || ' köln' AS text", number)
                assert row["text"] == f"{number} köln"
                return row["number"]

            assert await asyncio.gather(*[ask(number) for number in range(1000)]) == list(range(1000))

    run(main())


def test_transactions_are_kept_apart(run: Run, options: Options) -> None:
    async def main() -> None:
        async with asyncpg.create_pool(min_size=8, max_size=8, **options) as pool:
            await pool.execute("DROP TABLE IF EXISTS account; CREATE TABLE account (id int PRIMARY KEY, amount int)")
            await pool.executemany("INSERT INTO account VALUES ($1, 100)", [(number,) for number in range(8)])

            async def move(number: int) -> None:
                change = "UPDATE account SET amount = amount + $2 WHERE id = $1"
                async with pool.acquire() as connection, connection.transaction():
                    # The lower id first, for no two wait for each other.
                    first, second = sorted([number % 8, (number + 3) % 8])
                    await connection.execute(change, first, -1)
                    await connection.execute(change, second, 1)
                    if number % 5 == 0:
                        raise LookupError(number)

            outcomes = await asyncio.gather(*[move(number) for number in range(100)], return_exceptions=True)
            assert [str(outcome) for outcome in outcomes if outcome] == [str(number) for number in range(0, 100, 5)]
            assert await pool.fetchval("SELECT sum(amount) FROM account") == 800
            await pool.execute("DROP TABLE account")

    run(main())


def test_cursor_fetches_as_it_goes(run: Run, connected: Any) -> None:
    async def main() -> None:
        async with connected() as connection, connection.transaction():
            rows = connection.cursor("SELECT generate_series(1, 2000)", prefetch=50)
            assert [row[0] async for row in rows] == list(range(1, 2001))

    run(main())


def test_notifications_arrive_in_order(run: Run, connected: Any) -> None:
    async def main() -> None:
        count = 300
        async with connected() as listener, connected() as notifier:
            heard: asyncio.Queue[str] = asyncio.Queue()

            def hear(_: object, pid: int, channel: str, payload: str) -> None:
                assert (pid, channel) == (notifier.get_server_pid(), "news")
                heard.put_nowait(payload)

            await listener.add_listener("news", hear)
            for number in range(count):
                await notifier.execute("SELECT pg_notify('news', $1)", f"message {number}")
            assert [await heard.get() for _ in range(count)] == [f"message {number}" for number in range(count)]
            await listener.remove_listener("news", hear)

    run(main())


def test_copy_of_mebibytes_in_and_out(run: Run, connected: Any) -> None:
    async def main() -> None:
        rows = [f"{number}\t{'x' * (number % 500)}\n".encode() for number in range(20_000)]
        whole = b"".join(rows)
        assert len(whole) > 5_000_000

        async def chunks() -> AsyncIterator[bytes]:
            for start in range(0, len(whole), 65_537):
                yield whole[start : start + 65_537]

        received = bytearray()

        async def receive(data: bytes) -> None:
            received.extend(data)

        async with connected() as connection:
            await connection.execute("CREATE TEMPORARY TABLE copied (id int, text text)")
            assert await connection.copy_to_table("copied", source=chunks()) == "COPY 20000"
            query = "SELECT id, text FROM copied ORDER BY id"
            assert await connection.copy_from_query(query, output=receive) == "COPY 20000"
        assert received == whole

    run(main())


def test_value_of_mebibytes(run: Run, connected: Any) -> None:
    async def main() -> None:
        value = bytes(range(256)) * 16_384
        async with connected() as connection:
            assert await connection.fetchval("SELECT $1::bytea || $1::bytea", value) == value + value

    run(main())


def test_cancelled_query_is_cancelled_on_the_server(run: Run, connected: Any) -> None:
    async def main() -> None:
        async with connected() as connection, connected() as watcher:
            query = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))
            await until_sleeping(watcher, 1)
            query.cancel()
            with pytest.raises(asyncio.CancelledError):
                await query
            assert await connection.fetchval("SELECT 1") == 1
            await until_sleeping(watcher, 0)

    run(main())


def test_query_out_of_time_is_cancelled_on_the_server(run: Run, connected: Any) -> None:
    async def main() -> None:
        async with connected() as connection, connected() as watcher:
            with pytest.raises(asyncio.TimeoutError):
                await connection.execute("SELECT pg_sleep(600)", timeout=0.05)
            assert await connection.fetchval("SELECT 1") == 1
            await until_sleeping(watcher, 0)

    run(main())


def test_connection_ended_by_the_server(run: Run, connected: Any) -> None:
    async def main() -> None:
        async with connected() as connection, connected() as killer:
            ended = asyncio.Event()
            connection.add_termination_listener(lambda _: ended.set())
            query = asyncio.create_task(connection.execute("SELECT pg_sleep(600)"))
            await until_sleeping(killer, 1)
            assert await killer.fetchval("SELECT pg_terminate_backend($1)", connection.get_server_pid())
            with pytest.raises(asyncpg.ConnectionDoesNotExistError, match="administrator command"):
                await query
            await ended.wait()
            assert connection.is_closed()

    run(main())
