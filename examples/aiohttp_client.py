"""Shorten many links at once and check where each leads.

python -m jvloop examples/aiohttp_client.py http://127.0.0.1:8080 --count 50
"""

from __future__ import annotations

import argparse
import asyncio
import time

import aiohttp


async def shorten_and_follow(session: aiohttp.ClientSession, service: str, target: str) -> None:
    async with session.post(f"{service}/links", json={"target": target}) as answer:
        answer.raise_for_status()
        link = (await answer.json())["link"]
    async with session.get(link, allow_redirects=False) as answer:
        if answer.headers.get("Location") != target:
            raise RuntimeError(f"{link} leads to {answer.headers.get('Location')}, not to {target}")


async def main(service: str, count: int) -> None:
    started = time.perf_counter()
    timeout = aiohttp.ClientTimeout(total=10)
    async with aiohttp.ClientSession(timeout=timeout) as session, asyncio.TaskGroup() as group:
        for i in range(count):
            group.create_task(shorten_and_follow(session, service, f"https://example.org/page/{i}"))
    print(f"{count} links made and followed in {(time.perf_counter() - started) * 1000:.0f} ms")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Drive the link shortener.")
    parser.add_argument("service", nargs="?", default="http://127.0.0.1:8080")
    parser.add_argument("--count", type=int, default=50)
    arguments = parser.parse_args()
    asyncio.run(main(arguments.service.rstrip("/"), arguments.count))
