"""The network of weir's own does each of the things that its drills rely on."""
import os
import socket
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../system"),
                os.path.join(HERE, "../../scripts")]
from namespace import Namespace  # noqa: E402

PORT, TIMEOUT_S, SILENT_S = 5555, 10, 0.5


def serve(listener):
    """Sends back what it gets."""
    def echo(connection):
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass
        connection.close()
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


@unittest.skipUnless(os.geteuid() == 0, "only root can make network namespaces")
class NamespaceTest(unittest.TestCase):
    def setUp(self):
        self.network = self.enterContext(Namespace())
        listener = self.network.listen(PORT)
        self.addCleanup(listener.close)
        threading.Thread(target=serve, args=(listener,), daemon=True).start()

    def connection(self):
        made = self.network.connect(PORT, TIMEOUT_S)
        self.addCleanup(made.close)
        return made

    def expect_echo(self, connection, text=b"hello"):
        connection.settimeout(TIMEOUT_S)
        connection.sendall(text)
        found = b""
        while len(found) < len(text):
            part = connection.recv(65536)
            self.assertTrue(part, "the connection ended")
            found += part
        self.assertEqual(found, text)

    def test_what_is_cut_ends_and_new_connections_are_taken(self):
        one = self.connection()
        self.expect_echo(one)
        self.network.cut()
        with self.assertRaises(OSError):
            one.sendall(b"more")
        self.expect_echo(self.connection())

    def test_what_is_silent_goes_on_later(self):
        one = self.connection()
        self.expect_echo(one)
        self.network.stall()
        one.sendall(b"later")
        one.settimeout(SILENT_S)
        with self.assertRaises(socket.timeout):
            one.recv(5)
        self.network.open()
        one.settimeout(TIMEOUT_S)
        self.assertEqual(one.recv(5), b"later")

    def test_what_is_slow_takes_its_time(self):
        one = self.connection()
        self.expect_echo(one)
        self.network.slow(20000)
        begun = time.monotonic()
        self.expect_echo(one, bytes(20000))
        self.assertGreater(time.monotonic() - begun, SILENT_S)
        self.network.open()
        self.expect_echo(one)

    def test_what_is_refused_is_cut_too_and_taken_later(self):
        one = self.connection()
        self.expect_echo(one)
        self.network.refuse()
        with self.assertRaises(OSError):
            one.sendall(b"more")
        with self.assertRaises(ConnectionRefusedError):
            self.connection()
        self.network.open()
        self.expect_echo(self.connection())


if __name__ == "__main__":
    unittest.main()
