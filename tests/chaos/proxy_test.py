"""The proxy does each of the things that its drills rely on."""
import os
import socket
import sys
import threading
import time
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "../../scripts")]
from nodes.process import free_ports  # noqa: E402
from proxy import Loop, Proxy  # noqa: E402

TIMEOUT_S = 10


def echo(listener):
    def serve(connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                pass
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        threading.Thread(target=serve, args=(connection,), daemon=True).start()


class ProxyTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=echo, args=(cls.listener,), daemon=True).start()
        cls.loop = Loop()

    @classmethod
    def tearDownClass(cls):
        cls.loop.end()
        cls.listener.close()

    def setUp(self):
        self.proxy = Proxy(self.loop, free_ports(1)[0],
                           self.listener.getsockname())

    def client(self):
        client = socket.create_connection(("127.0.0.1", self.proxy.port),
                                          TIMEOUT_S)
        self.addCleanup(client.close)
        return client

    def expect_echo(self, client, text=b"hello"):
        client.sendall(text)
        found = b""
        while len(found) < len(text):
            found += client.recv(65536)
        self.assertEqual(found, text)

    def test_an_open_link_carries_everything(self):
        self.expect_echo(self.client(), os.urandom(300000))

    def test_a_cut_resets_what_is_open_and_takes_new_ones(self):
        client = self.client()
        self.expect_echo(client)
        self.proxy.cut()
        with self.assertRaises(ConnectionResetError):
            client.recv(1)
        self.expect_echo(self.client())

    def test_a_stall_keeps_connections_and_loses_nothing(self):
        client = self.client()
        self.expect_echo(client)
        self.proxy.stall()
        client.sendall(b"later")
        client.settimeout(0.3)
        with self.assertRaises(socket.timeout):
            client.recv(1)
        self.proxy.open()
        client.settimeout(TIMEOUT_S)
        self.assertEqual(client.recv(5), b"later")

    def test_a_refusal_refuses_until_it_is_over(self):
        client = self.client()
        self.expect_echo(client)
        self.proxy.refuse()
        with self.assertRaises(ConnectionResetError):
            client.recv(1)
        with self.assertRaises(ConnectionRefusedError):
            self.client()
        self.proxy.open()
        self.expect_echo(self.client())

    def test_nothing_is_lost_or_repeated_when_a_slow_time_begins_or_ends(self):
        client, text = self.client(), os.urandom(400000)
        sender = threading.Thread(target=client.sendall, args=(text,))
        sender.start()
        found, rates = b"", [200000, 0, 1000000, 0, 500000, 0]
        while len(found) < len(text):
            found += client.recv(20000)
            if rates and len(found) > 40000 * (7 - len(rates)):
                self.proxy.slow(rates.pop(0))
        sender.join(TIMEOUT_S)
        self.assertEqual(found, text)

    def test_a_slow_link_takes_its_time(self):
        client = self.client()
        self.proxy.slow(20000)
        begun = time.monotonic()
        self.expect_echo(client, bytes(4000))
        self.assertGreater(time.monotonic() - begun, 0.2)


if __name__ == "__main__":
    unittest.main()
