"""asyncio's behaviour, checked on each event loop."""
