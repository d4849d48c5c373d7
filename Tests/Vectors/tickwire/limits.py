"""The numbers of section 9 and the constants of the handshake. Lengths in bytes."""

PROTOCOL_VERSION = 1
MAGIC = b"TICK"
DEFAULT_CLIENT_LIMIT = 16384
DEFAULT_SERVER_LIMIT = 1048576
PAYLOAD_LIMIT = 1024
TOKEN_LIMIT = 2048
OPTIONS_LIMIT = 1024
ID_LAST = 65535  # of entity ids, player ids and codes
