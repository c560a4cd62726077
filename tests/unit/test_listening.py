"""Who comes together is let in together; when the server ends, nobody is let in any more."""

import asyncio
import socket

import pytest
import uvicorn
import uvloop

from infra.listening import Listening

CAME = 64


async def fine(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"fine"})


async def _started(kind):
    config = uvicorn.Config(
        fine, host="127.0.0.1", port=0, log_config=None, lifespan="off", timeout_graceful_shutdown=1
    )
    server = kind(config)
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    return server, server.servers[0].sockets[0].getsockname()


async def _turns(kind):
    """Return how many turns of the loop it takes to let in all who came."""
    server, address = await _started(kind)
    came = [socket.create_connection(address) for _ in range(CAME)]
    turns = 0
    while len(server.server_state.connections) < CAME:
        await asyncio.sleep(0)
        turns += 1
        assert turns < 1_000
    for one in came:
        one.close()
    await server.shutdown()
    return turns


def test_who_comes_at_once_is_let_in_within_a_few_turns():
    assert uvloop.run(_turns(uvicorn.Server)) >= CAME  # else uvicorn's own server would do
    assert uvloop.run(_turns(Listening)) <= CAME // 8


def test_each_is_answered():
    async def ask():
        server, address = await _started(Listening)
        for _ in range(CAME):
            reader, writer = await asyncio.open_connection(*address[:2])
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            assert (await reader.read()).endswith(b"fine\r\n0\r\n\r\n")
            writer.close()
        await server.shutdown()

    uvloop.run(ask())


def test_a_server_that_has_ended_lets_nobody_in():
    async def knock():
        server, address = await _started(Listening)
        await server.shutdown()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address)

    uvloop.run(knock())
