"""An export as a file: read in one snapshot, packed beside the event loop."""

import asyncio
from typing import Any

from sqlalchemy import Connection

from desk.album import Album
from desk.context import Context
from recovery.personal_data.paper import as_zip
from recovery.store.personal_export import gather
from recovery.store.personal_scope import scope_of

FILE_NAME = "my-data.zip"
HEADERS = {
    "Content-Disposition": f'attachment; filename="{FILE_NAME}"',
    "Cache-Control": "no-store",
}


async def packed(context: Context, album: Album, business_id: str, person: str) -> bytes | None:
    """All that is kept about a person, as a zip; None where there is nobody (any more).

    Args:
        context: The desk.
        album: Where pictures lie.
        business_id: Whose customer it is.
        person: `customers.person`.
    """
    business = context.business(business_id)

    def read(db: Connection) -> dict[str, Any] | None:
        scope = scope_of(db, person)
        if scope is None or scope.business != business_id:
            return None
        return gather(db, scope, business.name, context.clock())

    data = await context.storage.read_at_length(read)
    if data is None:
        return None
    return await asyncio.to_thread(as_zip, data, business.zone, album.copy_of)
