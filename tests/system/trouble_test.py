"""A broker that can't be had: one clear line each, and never the password.

Each says what was tried (where, as whom) and what to check, and is not said again
and again.
"""
import collections
import contextlib
import os
import re
import socketserver
import ssl
import threading

import harness
from harness import expect, expect_equal
from live import Live, topology
from own_node import OwnNode

PASSWORD = "planted-secret"
REFUSING = "127.0.0.1:1"
NOWHERE = "nowhere.invalid"
ADVICE = ("check", "?", "renew", "use a name", "the url names")


class Web(socketserver.BaseRequestHandler):
    """Another protocol: answers whatever comes like a web server, and closes."""

    def handle(self):
        try:
            self.request.recv(1000)
            self.request.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        except OSError:
            pass


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True

    def __init__(self, certificate=None):
        super().__init__(("127.0.0.1", 0), Web)
        self.context = None
        if certificate:
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(f"{certificate}.pem",
                                         f"{certificate}.key")
        self.place = f"localhost:{self.server_address[1]}"
        threading.Thread(target=self.serve_forever, daemon=True).start()

    def get_request(self):
        connection, address = super().get_request()
        connection.settimeout(harness.WAIT_TIMEOUT_S)
        if self.context:
            connection = self.context.wrap_socket(connection, server_side=True)
        return connection, address

    def __exit__(self, *error):
        self.shutdown()
        super().__exit__(*error)


class Case:
    """What is said once `text` is, by a run with this source."""

    stage, code, none = " producer ", 0, "received"

    def __init__(self, name, source, *texts):
        self.name, self.source, self.texts = name, source, texts

    def topology(self, folder):
        return topology(folder, self.source, name=self.name.replace(" ", "_"),
                        sink="discard")

    def said(self, live):
        """The lines about it; the one of the end has only the run's name."""
        return [line for line in live.log.splitlines()
                if self.stage in line and self.texts[0] in line]

    def check(self, live):
        live.await_log(self.texts[0])
        said = self.said(live)
        for text in self.texts:
            expect(text in said[0], f"{self.name}: no {text!r}: {said[0]}")
        expect(any(word in said[0] for word in ADVICE),
               f"{self.name}: doesn't say what to do: {said[0]}")
        live.expect_end(self.code)
        expect("interrupted" not in live.log,
               f"{self.name}: its own end is told as trouble")
        # Said every 10 s while it stays the same.
        again = collections.Counter(re.search(r"warning .* trying again",
                                              line)[0]
                                    for line in self.said(live))
        most = 1 + int(live.report["duration_seconds"] / 10)
        expect(len(again) <= 4 and max(again.values()) <= most,
               f"{self.name}: said too often: {again}")
        expect_equal(live.report[self.none], 0, f"{self.name}: {self.none}")


class SinkCase(Case):
    """The same of a destination: what was taken is held, and left in the end."""

    stage, code, none = " batcher ", 75, "done"

    def topology(self, folder):
        return topology(folder, "generator: { rate: 10 }", timeout="1s",
                        name=f"sink_{self.name}".replace(" ", "_"),
                        sink=f"{{ {self.source} }}")


def check_all(cases):
    with harness.scratch() as folder, contextlib.ExitStack() as stack:
        lives = [stack.enter_context(Live(case.topology(folder)))
                 for case in cases]
        for case, live in zip(cases, lives):
            case.check(live)


def kafka_source(brokers, more=""):
    return (f"kafka: {{ brokers: '{brokers}', group: g, topics: [t]{more} }}")


def kafka_sink(brokers, more=""):
    return (f"kafka: {{ brokers: '{brokers}', topic: t{more} }}")


def kafka_cases(node, web, make, place):
    """`make`: Case or SinkCase; `place`: what stands in the topology."""
    tls = node["WEIR_KAFKA_TLS_DIR"]
    trusting = f", tls: {{ ca: {tls}/ca.pem }}"
    sasl, secure = node["WEIR_KAFKA_SASL"], node["WEIR_KAFKA_TLS"]

    def login(mechanism, user):
        return (f"{trusting}, sasl: {{ mechanism: {mechanism}, "
                f"username: {user}, password: {PASSWORD} }}")
    return [
        make("no such host", place(f"{NOWHERE}:9092"), "does not resolve",
             NOWHERE),
        make("refuses", place(REFUSING), "nothing listens there", REFUSING),
        make("web server", place(web.place), "speaks Kafka", web.place),
        make("plain to TLS", place(secure), "add `tls`", secure),
        # OpenSSL sees a closed connection, or an answer that is no TLS.
        make("TLS to plain", place(node["WEIR_KAFKA"], trusting), "TLS",
             "the port in", node["WEIR_KAFKA"]),
        make("unknown authority", place(
            secure, f", tls: {{ ca: {tls}/stranger.pem }}"),
            "certificate is not trusted", "tls.ca", secure),
        make("expired", place(node["WEIR_KAFKA_EXPIRED"], trusting),
             "certificate has expired", node["WEIR_KAFKA_EXPIRED"]),
        make("wrong host", place(node["WEIR_KAFKA_WRONG_HOST"], trusting),
             "is for another host", node["WEIR_KAFKA_WRONG_HOST"]),
        make("wrong password", place(sasl, login("PLAIN", "alice")),
             "password", "'alice'", sasl),
        make("wrong SCRAM password", place(
            sasl, login("SCRAM-SHA-256", "bob")), "password", "'bob'", sasl),
        make("mechanism", place(sasl, login("SCRAM-SHA-512", "bob")),
             "sasl.mechanism", sasl),
    ]


def kafka():
    with OwnNode("kafka", "--tls") as node, Server() as web:
        check_all(kafka_cases(node, web, Case, kafka_source))
        check_all(kafka_cases(node, web, SinkCase, kafka_sink))


def amqp_source(place, more="", scheme="amqp", user=f"guest:{PASSWORD}"):
    return (f"amqp: {{ url: '{scheme}://{user}@{place}', "
            f"queue: trouble{more} }}\n  max_message_bytes: 16KiB")


def amqp():
    with OwnNode("rabbitmq", "--tls") as node, contextlib.ExitStack() as stack:
        tls = node["WEIR_AMQP_TLS_DIR"]
        trusting = f", tls: {{ ca: {tls}/ca.pem }}"
        plain = node["WEIR_AMQP"].split("@")[1]
        secure = node["WEIR_AMQPS"].split("@")[1]
        web, expired, other = (stack.enter_context(Server(
            name and os.path.join(tls, name)))
            for name in (None, "expired", "wronghost"))
        check_all([
            Case("no such host", amqp_source(f"{NOWHERE}:5672"),
                 "does not resolve", NOWHERE),
            Case("refuses", amqp_source(REFUSING), "Connection refused",
                 REFUSING),
            Case("web server", amqp_source(web.place), "another protocol",
                 web.place),
            Case("plain to TLS", amqp_source(secure), "another protocol",
                 "amqps://", secure),
            Case("TLS to plain", amqp_source(plain, trusting, "amqps"),
                 "TLS handshake failed", plain),
            Case("unknown authority", amqp_source(
                secure, f", tls: {{ ca: {tls}/stranger.pem }}", "amqps"),
                "certificate is not accepted", "tls.ca", secure),
            Case("expired", amqp_source(expired.place, trusting, "amqps"),
                 "expired", expired.place),
            Case("wrong host", amqp_source(other.place, trusting, "amqps"),
                 "mismatch", other.place),
            Case("wrong password", amqp_source(plain), "password", plain,
                 "guest"),
            Case("wrong vhost", amqp_source(f"{plain}/nothere", "", "amqp",
                                            "guest:guest"),
                 "vhost", plain),
        ])


if __name__ == "__main__":
    harness.main({"kafka": kafka, "amqp": amqp})
