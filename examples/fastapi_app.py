"""A small FastAPI service: notes with validation, a background task, and a stream.

uvicorn --app-dir examples --loop jvloop:new_event_loop fastapi_app:app
python -m jvloop examples/fastapi_app.py --port 8000
python examples/fastapi_app.py                            # the same on asyncio
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field


class NewNote(BaseModel):
    title: str = Field(min_length=1, max_length=80)
    tags: list[str] = []


class Note(NewNote):
    id: int


class Health(BaseModel):
    event_loop: str
    uptime_s: int
    notes: int


notes: dict[int, Note] = {}
next_id = itertools.count(1)
uptime_s = 0


async def count_uptime() -> None:
    global uptime_s
    started = time.monotonic()
    while True:
        await asyncio.sleep(1)
        uptime_s = int(time.monotonic() - started)


@asynccontextmanager
async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
    counter = asyncio.create_task(count_uptime())
    yield
    counter.cancel()


app = FastAPI(title="Notes", lifespan=lifespan)


@app.get("/health")
async def health() -> Health:
    loop = type(asyncio.get_running_loop())
    return Health(event_loop=f"{loop.__module__}.{loop.__qualname__}", uptime_s=uptime_s, notes=len(notes))


@app.post("/notes", status_code=201)
async def add_note(new: NewNote) -> Note:
    note = Note(id=next(next_id), **new.model_dump())
    notes[note.id] = note
    return note


@app.get("/notes/{note_id}")
async def get_note(note_id: int) -> Note:
    try:
        return notes[note_id]
    except KeyError:
        raise HTTPException(404, f"no note {note_id}") from None


@app.get("/countdown/{start}")
async def countdown(start: int) -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        for number in range(start, 0, -1):
            yield f"{number}\n"
            await asyncio.sleep(0.01)
        yield "go\n"

    return StreamingResponse(lines(), media_type="text/plain")


def main() -> None:
    parser = argparse.ArgumentParser(description="The notes service.")
    parser.add_argument("--port", type=int, default=8000, help="0 for any free one")
    listener = socket.create_server(("127.0.0.1", parser.parse_args().port))
    print(f"listening on http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
    # uvicorn.run() would choose a loop itself; asyncio.run() takes the one that this program was started with.
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    asyncio.run(server.serve(sockets=[listener]))


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main()
