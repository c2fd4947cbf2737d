"""An asyncio event loop whose engine is written in Java."""
