"""A FastAPI application as a user would write it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request, WebSocket, WebSocketDisconnect
from fastapi.responses import StreamingResponse
from pydantic import BaseModel


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.log = ["started"]
    yield
    app.state.log.append("stopped")
    print("lifespan ended", flush=True)


app = FastAPI(lifespan=lifespan)


class Item(BaseModel):
    name: str
    price: float


@app.get("/loop")
async def which_loop() -> str:
    return type(asyncio.get_running_loop()).__module__.split(".")[0]


@app.post("/items/{number}")
async def add_item(number: int, item: Item) -> dict[str, object]:
    if number < 0:
        raise HTTPException(404, "no such place")
    return {"number": number, "item": item}


async def context_in_a_dependency() -> AsyncIterator[str]:
    yield threading.current_thread().name


@app.get("/threads")
def in_a_worker_thread(loop_thread: str = Depends(context_in_a_dependency)) -> bool:
    return threading.current_thread().name != loop_thread


@app.post("/background")
async def leave_work_behind(request: Request, tasks: BackgroundTasks) -> str:
    tasks.add_task(request.app.state.log.append, "worked in the background")
    return "accepted"


@app.get("/log")
async def log(request: Request) -> list[str]:
    entries: list[str] = request.app.state.log
    return entries


@app.get("/stream/{count}")
async def stream(count: int) -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        for number in range(count):
            yield b"%d\n" % number

    return StreamingResponse(body(), media_type="text/plain")


@app.post("/digest")
async def digest(request: Request) -> dict[str, object]:
    sha, size = hashlib.sha256(), 0
    async for chunk in request.stream():
        sha.update(chunk)
        size += len(chunk)
    return {"sha": sha.hexdigest(), "size": size}


@app.get("/endless")
async def endless() -> StreamingResponse:
    async def body() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 1000
                await asyncio.sleep(0)  # sending to a client that has left returns at once
        finally:
            app.state.log.append("endless stream closed")

    return StreamingResponse(body())


@app.websocket("/ws")
async def echo(socket: WebSocket) -> None:
    await socket.accept()
    try:
        while True:
            await socket.send_text((await socket.receive_text())[::-1])
    except WebSocketDisconnect as disconnect:
        app.state.log.append(f"websocket closed with {disconnect.code}")
