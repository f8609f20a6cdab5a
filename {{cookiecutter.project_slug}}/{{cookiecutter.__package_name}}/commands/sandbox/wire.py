"""Messages between the server and the processes that run its commands."""

import json
import os
import socket
import struct
from typing import Any, Final

#: Said by who has begun to work on an order.
HELLO: Final = b"+"
LENGTH: Final = struct.Struct(">I")


def pack(message: Any) -> bytes:
    """Return a message as it is sent: its length, then its JSON."""
    body = json.dumps(message).encode()
    return LENGTH.pack(len(body)) + body


def unpack(data: bytes) -> tuple[Any, bytes]:
    """Return the message at the beginning of data, and what follows it."""
    (length,) = LENGTH.unpack_from(data)
    start, end = LENGTH.size, LENGTH.size + length
    return json.loads(data[start:end]), data[end:]


def receive(sock: socket.socket) -> Any:
    """Wait for one message.

    Raises:
        EOFError: The other side has gone.
    """
    (length,) = LENGTH.unpack(_exactly(sock, LENGTH.size))
    return json.loads(_exactly(sock, length))


def receive_descriptors(
    sock: socket.socket, size: int, most: int
) -> tuple[bytes, list[int]]:
    """Wait for bytes and descriptors; no program will inherit these."""
    data, descriptors, _, _ = socket.recv_fds(sock, size, most)
    for descriptor in descriptors:
        os.set_inheritable(descriptor, False)
    return data, descriptors


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        chunk = sock.recv(size - len(data))
        if not chunk:
            raise EOFError
        data += chunk
    return bytes(data)
