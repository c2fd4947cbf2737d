"""A link shortener with aiohttp; ``aiohttp_client.py`` talks to it.

python -m jvloop examples/aiohttp_server.py --port 8080
"""

from __future__ import annotations

import argparse
import secrets
import socket

from aiohttp import web

LINKS: web.AppKey[dict[str, str]] = web.AppKey("links", dict)
routes = web.RouteTableDef()


@routes.post("/links")
async def shorten(request: web.Request) -> web.Response:
    body = await request.json()
    target = body.get("target") if isinstance(body, dict) else None
    if not isinstance(target, str) or not target.startswith(("http://", "https://")):
        raise web.HTTPBadRequest(text='send {"target": "https://..."}')
    key = secrets.token_urlsafe(6)
    request.app[LINKS][key] = target
    return web.json_response({"link": str(request.url.with_path(f"/{key}"))}, status=201)


@routes.get("/{key}")
async def follow(request: web.Request) -> web.Response:
    target = request.app[LINKS].get(request.match_info["key"])
    if target is None:
        raise web.HTTPNotFound(text="no such link")
    raise web.HTTPFound(target)


def make_app() -> web.Application:
    app = web.Application()
    app[LINKS] = {}
    app.add_routes(routes)
    return app


def main() -> None:
    parser = argparse.ArgumentParser(description="The link shortener.")
    parser.add_argument("--port", type=int, default=8080, help="0 for any free one")
    listener = socket.create_server(("127.0.0.1", parser.parse_args().port))
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    web.run_app(make_app(), sock=listener, print=None, access_log=None)


if __name__ == "__main__":
    main()
