"""How an API process leaves without losing a request of a proxy that keeps connections to it.

A listening socket that closes resets the connections that nobody has accepted yet, and a connection that closes while
it is idle may meet a request that is on its way: a proxy cannot send either again, unless it is a GET. So no new
connection is begun for a moment, in which those that were begun are accepted; then the socket closes, and the proxy
goes to another process. Each connection ends with its next answer, which says so, or is left to the proxy to end.
"""

import asyncio
import ctypes
import socket
import struct
import sys
from collections.abc import Callable, Iterable

HANDSHAKE_SECONDS = 0.2  # in which connections that were begun before arrive
_LOOK_SECONDS = 0.05
_ATTACH_FILTER = 26  # SO_ATTACH_FILTER of Linux, which socket has no name for
# Classic BPF over the TCP header: what has SYN set (the bit 2 of the byte 13) is dropped, all else passes.
_DROP_BEGINNINGS = ((0x30, 0, 0, 13), (0x45, 0, 1, 0x02), (0x06, 0, 0, 0), (0x06, 0, 0, 0xFFFFFFFF))


def begin_no_more(listening: Iterable[socket.socket]) -> None:
    """Leave attempts to connect unanswered, which are tried again elsewhere. Linux alone; nothing where it fails."""
    if not sys.platform.startswith("linux"):
        return
    code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *step) for step in _DROP_BEGINNINGS))
    program = struct.pack("HL", len(_DROP_BEGINNINGS), ctypes.addressof(code))
    for each in listening:
        try:
            each.setsockopt(socket.SOL_SOCKET, _ATTACH_FILTER, program)
        except OSError:
            return


async def until_idle(is_idle: Callable[[], bool], seconds: float) -> None:
    """Wait until nobody is connected any more, or it is urgent, but no longer than this."""
    end = asyncio.get_running_loop().time() + seconds
    while not is_idle() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 -- uvicorn has no event for it
        await asyncio.sleep(_LOOK_SECONDS)
