"""Serves the built pages: one application, hashed assets, a strict policy."""

from pathlib import Path

from sanic import HTTPResponse, Request
from sanic.response import BaseHTTPResponse, file, html

from desk.errors import not_found
from desk.sanic_types import App
from desk.staff.session import ROOT as STAFF

_DIST = Path(__file__).resolve().parent.parent / "web" / "dist"
_POLICY = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none';"
    " form-action 'self'; frame-ancestors 'self'"
)
_NOT_BUILT = (
    "<!doctype html><meta charset=utf-8><title>回心</title>"
    "<p>页面还没有构建：请在项目目录运行 make setup。"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def serve_pages(app: App, dist: Path = _DIST) -> None:
    """Add the routes of the pages.

    Args:
        app: The desk.
        dist: What `npm run build` made, as it is now: only files that exist at the start are
            served, so no path of a request ever reaches the file system.
    """
    files = {path.relative_to(dist).as_posix(): path for path in dist.rglob("*") if path.is_file()}

    @app.get("/<path:path>", name="page")
    async def page(_: Request, path: str) -> HTTPResponse:
        found = files.get(path)
        if found and path != "index.html":
            lasting = "public, max-age=31536000, immutable" if path.startswith("assets/") else None
            return await file(found, headers={"Cache-Control": lasting or "no-cache"})
        if path.startswith(("api/", "ws/", "assets/")):
            raise not_found()
        index = files.get("index.html")
        if index is None:
            return html(_NOT_BUILT, status=503)
        return await file(index, headers={"Cache-Control": "no-cache"})

    async def harden(request: Request, response: BaseHTTPResponse) -> HTTPResponse | None:
        if request.path.startswith(f"{STAFF}/"):
            # Customers' data stays on no computer that several members of staff use.
            response.headers["Cache-Control"] = "no-store"
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        return None

    app.register_middleware(harden, "response")
