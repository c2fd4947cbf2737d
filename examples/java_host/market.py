"""The Python half of MarketService.java: fetches price series with aiohttp, and does the arithmetic with numpy."""

from __future__ import annotations

import asyncio
import json

import aiohttp
import numpy as np

_TRADING_DAYS = 252
_session: aiohttp.ClientSession | None = None


async def connect(base_url: str) -> None:
    """Opens the session that all reports share; its connections are kept alive."""
    global _session
    _session = aiohttp.ClientSession(base_url, connector=aiohttp.TCPConnector(limit=0))


async def disconnect() -> None:
    if _session is not None:
        await _session.close()


async def _prices(symbol: str) -> list[float]:
    assert _session is not None, "connect() comes first"
    async with _session.get("/prices", params={"symbol": symbol}) as response:
        if response.status == 404:
            raise LookupError(f"no such symbol: {symbol}")
        response.raise_for_status()
        return json.loads(await response.text())


async def report(symbols: list[str]) -> str:
    """What moves with what: yearly volatility of each symbol, and how their daily returns correlate, as JSON."""
    async with asyncio.TaskGroup() as group:
        fetches = [group.create_task(_prices(symbol)) for symbol in symbols]
    prices = np.array([fetch.result() for fetch in fetches])
    returns = np.diff(np.log(prices), axis=1)
    volatility = returns.std(axis=1, ddof=1) * np.sqrt(_TRADING_DAYS)
    correlation = np.atleast_2d(np.corrcoef(returns))
    return json.dumps(
        {
            "days": prices.shape[1],
            "volatility": dict(zip(symbols, volatility.round(4).tolist(), strict=True)),
            "correlation": correlation.round(3).tolist(),
        }
    )
