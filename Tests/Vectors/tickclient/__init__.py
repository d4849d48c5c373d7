"""A TickServer client that distrusts the server: it joins a room, plays, and checks what docs/protocol.md promises.

`Conversation` is the protocol: bytes in, bytes out, time in microseconds as an argument. `Room` checks what comes between
Joined and Left. `Shell` is the socket and the timers. The numbers in the comments are sections of the page.
"""

from .clock import Clock
from .command import main, parse, play
from .movement import Walker

__all__ = ["Clock", "Walker", "main", "parse", "play"]
