"""The naive servers fail as described, and only so: else the comparison with them would say nothing.

python3 -m unittest discover -s Tests/Failures
"""

from __future__ import annotations

import unittest

from programs import ServerTestCase

KILOBYTE = b"x" * 1020


class BroadcastTests(ServerTestCase):
    def test_each_message_reaches_each_other_client_once_and_in_order(self) -> None:
        for mode in ("per-message", "bounded", "zombie"):
            with self.subTest(mode=mode):
                clients = self.clients(self.start(mode), 5)
                for number, client in enumerate(clients):
                    client.send(*(b"%d.%d" % (number, count) for count in range(3)))
                for number, client in enumerate(clients):
                    heard = client.read(12)
                    for other in set(range(5)) - {number}:
                        texts = [text for text in heard if text.startswith(b"%d." % other)]
                        self.assertEqual(texts, [b"%d.%d" % (other, count) for count in range(3)])
                    self.assertTrue(client.hears_nothing(), "its own message, or one twice")

    def test_each_receiver_costs_a_write_of_its_own(self) -> None:
        server = self.start("per-message")
        sender, *others = self.clients(server, 11)
        before = server.sample(0)
        for count in range(20):
            sender.send(b"%d" % count)
            for other in others:
                other.read(1)
        after = server.sample(0)
        self.assertGreaterEqual(after.writes - before.writes, 200)

    def test_a_length_over_the_limit_ends_the_connection(self) -> None:
        server = self.start("per-message")
        liar, other = self.clients(server, 2)
        liar.socket.sendall(b"\xff\xff\xff\x7f")
        self.assertEqual(liar.socket.recv(1), b"")
        self.assertTrue(other.hears_nothing())


class StallTests(ServerTestCase):
    """One client of three does not read."""

    def stall(self, mode: str, messages: int, *more: str) -> None:
        self.server = self.start(mode, "--send-buffer-bytes", "8192", *more)
        self.before = self.descriptors(self.server)
        self.sender, self.reader, self.stalled = self.clients(self.server, 3)
        for count in range(messages):
            self.sender.send(b"%04d" % count + KILOBYTE)
            self.assertEqual(self.reader.read(1), [b"%04d" % count + KILOBYTE], "a client that reads must miss nothing")

    def test_without_a_bound_everything_is_kept_for_it(self) -> None:
        self.stall("per-message", 4000)
        self.assertGreater(self.server.sample(0).residentBytes, 4_000_000)
        heard = self.stalled.read(4000)
        self.assertEqual([text[:4] for text in heard], [b"%04d" % count for count in range(4000)])

    def test_over_the_bound_of_messages_it_is_aborted(self) -> None:
        self.stall("bounded", 300, "--queue-messages", "64")
        self.assertAborted("queuedMessages=65 ")

    def test_over_the_bound_of_bytes_it_is_aborted(self) -> None:
        self.stall("bounded", 300, "--queue-bytes", str(64 * 1024))
        self.assertAborted("queuedMessages=64 ")

    def assertAborted(self, queue: str) -> None:
        with self.assertRaises((EOFError, ConnectionResetError)):
            self.stalled.read(300)
        self.wait(lambda: self.descriptors(self.server) == self.before + 2, "its descriptor was not closed")
        self.assertEqual(self.server.log.count("aborted client="), 1)
        self.assertIn(queue, self.server.log)

    def test_the_zombie_is_flagged_and_never_released(self) -> None:
        self.stall("zombie", 300, "--queue-messages", "64")
        self.assertEqual(self.server.log.count("flagged client="), 1)
        self.stalled.close()
        # Whoever is not flagged is released: the flag alone is what leaks.
        self.reader.close()
        self.wait(lambda: self.descriptors(self.server) == self.before + 2, "the healthy client was not released")
        late = self.clients(self.server, 1)[0]
        self.sender.send(*(b"%d" % count for count in range(100)))
        self.assertEqual(len(late.read(100)), 100)
        self.assertEqual(self.descriptors(self.server), self.before + 3, "sender, late one and the zombie")

    def test_a_zombie_mode_client_that_reads_is_released(self) -> None:
        server = self.start("zombie")
        before = self.descriptors(server)
        clients = self.clients(server, 3)
        clients[0].send(b"hello")
        for client in clients[1:]:
            client.read(1)
        for client in clients:
            client.close()
        self.wait(lambda: self.descriptors(server) == before, "a client that ended was not released")


if __name__ == "__main__":
    unittest.main()
