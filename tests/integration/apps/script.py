"""An unmodified program: an aiohttp server and its client. Prints what it was told, what it got, and its loop."""

from __future__ import annotations

import asyncio
import json
import sys

import aiohttp
from aiohttp import web


async def greet(request: web.Request) -> web.Response:
    return web.json_response({"hello": request.match_info["name"]})


async def main() -> list[str]:
    app = web.Application()
    app.router.add_get("/{name}", greet)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    port = runner.addresses[0][1]
    answers = []
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}") as session:
        for name in sys.argv[1:]:
            async with session.get(f"/{name}") as response:
                answers.append((await response.json())["hello"])
    await runner.cleanup()
    print(json.dumps({"answers": answers, "loop": type(asyncio.get_running_loop()).__module__.split(".")[0]}))
    return answers


if __name__ == "__main__":
    answers = asyncio.run(main())
    sys.exit(0 if answers == sys.argv[1:] else 1)
