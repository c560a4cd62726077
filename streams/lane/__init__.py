"""The batch lane: Faust, one batch a partition at a time, effectively once.

```python
customers = app.StateTable("customers", source=EVENTS, changelog=PROFILES)

@app.agent(topics.events, name="fold")
async def fold(batches: Stream) -> None:
    async for batch in batches:
        state = await customers.open(batch)
        outbox = Outbox()
        ...                                     # one call to the core
        await app.complete(batch, outbox, state)
```
"""

from streams.lane.app import App
from streams.lane.batch import Batch, Record
from streams.lane.outbox import Message, Outbox
from streams.lane.state import StateTable
from streams.lane.view import View

__all__ = ["App", "Batch", "Message", "Outbox", "Record", "StateTable", "View"]
