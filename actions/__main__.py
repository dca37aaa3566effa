"""`python -m actions`: the action server, on loopback, with health routes."""

import sys
from types import SimpleNamespace

from rasa_sdk.endpoint import create_app
from rasa_sdk.executor import ActionExecutor
from sanic import Config, HTTPResponse, Request, Sanic
from sanic.response import json
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from actions.context import Context, current
from recovery import logs
from recovery.logs import log
from recovery.orders.several import close_orders
from recovery.settings import SettingsError

App = Sanic[Config, SimpleNamespace]


def make_app(context: Context) -> App:
    """The action server with `/healthz` and `/readyz`.

    Args:
        context: What actions read from.

    Returns:
        A Sanic app; actions answer `POST /webhook`.
    """
    executor = ActionExecutor()
    executor.register_package("actions")
    app: App = create_app(executor, cors_origins=[])

    @app.after_server_stop
    async def _end(_: App) -> None:
        close_orders(context.orders)
        context.database.close()

    @app.get("/healthz")
    async def healthz(_: Request) -> HTTPResponse:
        return json({"status": "up"})

    @app.get("/readyz")
    async def readyz(_: Request) -> HTTPResponse:
        try:
            with context.database.read() as db:
                db.execute(text("SELECT 1"))
        except SQLAlchemyError as error:
            return json({"status": "down", "database": type(error).__name__}, status=503)
        return json({"status": "ready"})

    return app


def main() -> int:
    """Serve until told to stop.

    Returns:
        Exit code: 2 for settings that cannot be used.
    """
    logs.configure()
    try:
        context = current()
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    listen = context.settings.actions
    log.info("actions started")
    make_app(context).run(
        host=listen.host, port=listen.port, single_process=True, access_log=False, motd=False
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
