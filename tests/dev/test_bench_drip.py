"""The slow clients are there, take no answer for one, and come back when they are cut off."""

from __future__ import annotations

import socket
import threading

from dev.bench import drip


def test_dripping_holds_its_connections_open_until_the_end() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with drip.dripping(server.getsockname()[1], drip.HEADERS) as clients:
            taken = [server.accept()[0] for _ in clients]
            begun = [connection.recv(100) for connection in taken]
            assert [client.connections for client in clients] == [1] * drip.CLIENTS

        assert begun == [drip.HEADERS] * drip.CLIENTS
        assert not any(client.is_alive() for client in clients)
        for connection in taken:
            connection.close()


def test_dripper_sends_byte_after_byte_on_one_connection() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = drip.Dripper(server.getsockname()[1], b"begin ", over, every_seconds=0.01)
        client.start()
        connection = server.accept()[0]
        with connection, connection.makefile("rb") as file:
            assert file.read(16) == b"begin xxxxxxxxxx"
        over.set()
        client.join(60)


def test_dripper_that_is_cut_off_comes_back() -> None:
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:
        client = drip.Dripper(server.getsockname()[1], drip.BODY, over, every_seconds=0.01)
        client.start()
        first = server.accept()[0]
        first.close()
        second = server.accept()[0]
        over.set()
        client.join(60)
        second.close()

    assert client.connections >= 2
    assert not client.is_alive()


def test_others_are_pages_and_some_registrations() -> None:
    requests = drip.others()

    sent = [next(requests).partition(b" ")[0] for _ in range(100)]

    assert (sent.count(b"POST"), sent.count(b"GET")) == (10, 90)
