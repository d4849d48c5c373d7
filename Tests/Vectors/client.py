"""A TickServer client that distrusts the server: it joins a room, plays, and checks what docs/protocol.md promises.

    python3 client.py --host 127.0.0.1 --port 7777 --room r1 --room-kind arena --seconds 10 [--resume-after 4] [--json]

Prints a JSON report. Exit code: 0 it ran to the end, 1 the server broke the protocol (`violation` says how), 2 the
server could not be reached, refused the join or ended the connection early with a Goodbye.
"""

import sys

import tickclient

if __name__ == "__main__":
    sys.exit(tickclient.main(sys.argv[1:]))
