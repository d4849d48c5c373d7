"""The numbers of section 9 and the constants of the handshake. Lengths in bytes."""

PROTOCOL_VERSION = 1
MAGIC = b"TICK"
DEFAULT_CLIENT_LIMIT = 16384
DEFAULT_SERVER_LIMIT = 1048576
PAYLOAD_LIMIT = 1024
TOKEN_LIMIT = 2048
OPTIONS_LIMIT = 1024
SCHEMA_LIMIT = 65536
TEXT_LIMIT = 512
NAME_LIMIT = 512  # of a name in Join: longer than any that is accepted
INPUT_ENTRIES = 256
ID_LAST = 65535  # of all 16-bit numbers (2): entity and player ids, codes, methods, reasons, refusals, statuses
