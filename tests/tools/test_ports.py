"""Taken addresses are found before anything starts; health routes are read honestly."""

import asyncio
import socket

import pytest

from tools.console import ToolError
from tools.ports import answers, require_free
from tools.settings import Address


def address(port: int, name: str = "desk", host: str = "127.0.0.1") -> Address:
    return Address(name, host, port, f"{name}.port")


@pytest.fixture
def taken() -> socket.socket:
    listener = socket.create_server(("127.0.0.1", 0))
    yield listener
    listener.close()


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])  # noqa: S104
def test_a_taken_port_names_process_and_setting(taken: socket.socket, host: str) -> None:
    port = taken.getsockname()[1]
    with pytest.raises(ToolError) as caught:
        require_free([address(port, host=host)])
    for said in ("desk cannot listen", str(port), "desk.port in huixin.yml"):
        assert said in str(caught.value)


def test_a_free_port_is_free_also_right_after_a_server(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    with socket.create_connection(("127.0.0.1", port)):
        connection, _ = taken.accept()
        connection.close()
    taken.close()
    require_free([address(port)])


def test_one_port_for_two_processes_is_named() -> None:
    with pytest.raises(ToolError, match=r"desk\.port or rasa\.port"):
        require_free([address(5999), address(5999, "rasa")])


def test_an_address_of_another_machine_is_named() -> None:
    with pytest.raises(ToolError, match=r"desk\.port"):
        require_free([address(5999, host="192.0.2.1")])


@pytest.mark.parametrize(
    ("reply", "good"),
    [
        (b"HTTP/1.1 200 OK\r\n\r\n", True),
        (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", False),
        (b"nonsense\r\n", False),
        (b"", False),
    ],
)
async def test_only_status_200_is_an_answer(reply: bytes, good: bool) -> None:
    asked: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readline())
        writer.write(reply)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        assert await answers(f"http://127.0.0.1:{port}/readyz") is good
    assert asked == [b"GET /readyz HTTP/1.1\r\n"]


async def test_nobody_there_is_no_answer(taken: socket.socket) -> None:
    port = taken.getsockname()[1]
    taken.close()
    assert await answers(f"http://127.0.0.1:{port}/healthz") is False
