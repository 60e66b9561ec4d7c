"""The spans of a running weir, to collectors good and bad.

What arrives is read by OpenTelemetry's own definitions, which know no field that
they don't have.
"""
import base64
import contextlib
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

sys.path.insert(0, f"{os.environ['WEIR_SOURCE']}/tests/admin")
import running  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
DEFINITIONS = "opentelemetry/proto"
IDENTITIES = ("traceId", "spanId", "parentSpanId")
AUTHORIZATION = "Bearer planted-secret-for-spans"
PROCESS, SEND = 5, 4  # kinds of spans
HANDLER = """\
#include <weir/handler.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    (void)state;
    return weir_message_offset(msg) % 4 == 0
               ? weir_message_reject(msg, "a fourth one") : WEIR_OK;
}

WEIR_HANDLER(failing, .handle_message = handle_message);
"""


def skip_without(program, module):
    """Loud, and a failure where everything is to be there."""
    missing = None if shutil.which(program) else program
    try:
        __import__(module)
    except ImportError:
        missing = module
    if missing and (os.environ.get("CI") == "true"
                    or os.environ.get("WEIR_REQUIRE_BROKERS") == "1"):
        sys.exit(f"{missing} is missing: scripts/deps test installs it")
    if missing:
        print(f"SKIPPED: {missing} is missing: scripts/deps test installs it")
        sys.exit(77)


def definitions(folder):
    """The request, as a class."""
    files = [os.path.relpath(os.path.join(path, name), HERE)
             for path, _, names in os.walk(f"{HERE}/{DEFINITIONS}")
             for name in names]
    subprocess.run(["protoc", f"--proto_path={HERE}", f"--python_out={folder}",
                    *files], cwd=HERE, check=True)
    sys.path.insert(0, folder)
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    return trace_service_pb2.ExportTraceServiceRequest


def decode(request, body):
    """By OTLP's rule identities are hexadecimal, which protobuf's JSON isn't."""
    from google.protobuf import json_format
    tree = json.loads(body)
    for resource in tree["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in IDENTITIES:
                    if name in span:
                        assert re.fullmatch("([0-9a-f]{16}){1,2}", span[name])
                        span[name] = base64.b64encode(
                            bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(tree, request())


class Collector:
    """Answers with `statuses` in turn, the last one from then on."""

    def __init__(self, *statuses, answer=b"{}"):
        self.statuses, self.answer = list(statuses or (200,)), answer
        self.requests, self.headers, self.lock = [], [], threading.Lock()
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                self.send_response(collector.take(self, body))
                self.send_header("Content-Length", str(len(collector.answer)))
                self.end_headers()
                self.wfile.write(collector.answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever)

    def take(self, handler, body):
        with self.lock:
            status = (self.statuses.pop(0) if len(self.statuses) > 1
                      else self.statuses[0])
            self.headers.append((handler.path, dict(handler.headers)))
            self.requests.append((status, body))
            return status

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@contextlib.contextmanager
def silent():
    """A port that accepts and never answers."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        yield listener.getsockname()[1]


@contextlib.contextmanager
def babbling(text):
    """A port that answers what is no HTTP."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(64)
        is_over = threading.Event()

        def serve():
            while not is_over.is_set():
                with contextlib.suppress(OSError):
                    client, _ = listener.accept()
                    with client:
                        client.recv(65536)
                        client.sendall(text)
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
        is_over.set()


def traces(port, sample="100%", more=""):
    return ("telemetry: { traces: { endpoint: \"http://127.0.0.1:"
            f"{port}/v1/traces\", sample: {sample}{more} }} }}")


class TracesTest(unittest.TestCase):
    request = None

    def setUp(self):
        self.scratch = running.folder()
        self.addCleanup(self.scratch.cleanup)
        self.folder = self.scratch.name

    def handler(self):
        source, built = f"{self.folder}/failing.c", f"{self.folder}/failing.so"
        with open(source, "w", encoding="utf-8") as file:
            file.write(HANDLER)
        subprocess.run([running.WEIR, "cc", source, "-o", built], check=True)
        return f"{{ plugin: {built} }}"

    def run_to_end(self, port, count=200, **values):
        """The run, which must not have noticed anything."""
        more = values.pop("more", "")
        with running.Running(
                self.folder, producer=f"generator: {{ count: {count} }}",
                **{"more": traces(port, more=more), **values}) as run:
            self.assertEqual(run.process.wait(running.PATIENCE_S), 0)
            return run

    def spans(self, collector, accepted=200):
        """Of the requests that were answered so, with their resources."""
        return [(resource.resource, span)
                for status, body in collector.requests if status == accepted
                for resource in decode(self.request, body).resource_spans
                for scope in resource.scope_spans for span in scope.spans]

    def test_spans_are_as_the_collector_wants_them(self):
        with Collector() as collector:
            self.run_to_end(collector.port, handler=self.handler(),
                            more=f", authorization: {AUTHORIZATION}")
        spans = self.spans(collector)
        process = {span.span_id: span for _, span in spans
                   if span.kind == PROCESS}
        send = [span for _, span in spans if span.kind == SEND]
        self.assertEqual((len(process), len(send)), (200, 150))
        self.assertEqual(len({span.trace_id for span in process.values()}), 200)
        for span in process.values():
            self.assertEqual((len(span.trace_id), len(span.span_id),
                              span.parent_span_id), (16, 8, b""))
            self.assertLessEqual(span.start_time_unix_nano,
                                 span.end_time_unix_nano)
            self.assertLess(abs(span.start_time_unix_nano / 1e9 - time.time()),
                            600)
        failed = [span for span in process.values() if span.status.code == 2]
        self.assertEqual({span.status.message for span in failed},
                         {"a fourth one"})
        self.assertEqual(len(failed), 50)
        for span in send:
            parent = process[span.parent_span_id]
            self.assertEqual(parent.trace_id, span.trace_id)
            self.assertEqual(span.name, "send default")
        names = {(attribute.key, attribute.value.string_value)
                 for resource, _ in spans for attribute in resource.attributes}
        self.assertIn(("service.name", "watched"), names)
        self.assertEqual(
            {(path, headers["Content-Type"], headers["Authorization"])
             for path, headers in collector.headers},
            {("/v1/traces", "application/json", AUTHORIZATION)})

    def test_a_share_is_sampled(self):
        with Collector() as collector:
            with running.Running(
                    self.folder, producer="generator: { count: 20000 }",
                    more=traces(collector.port, "5%")) as run:
                self.assertEqual(run.process.wait(running.PATIENCE_S), 0)
        self.assertTrue(700 < len(self.spans(collector)) < 1300)

    def test_no_spans_where_they_are_not_asked_for(self):
        with running.Running(self.folder, more="") as run:
            run.await_ready()
            self.assertNotIn("weir_spans", run.get("/metrics"))

    def test_a_collector_that_is_away_holds_nobody_up(self):
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]
        run = self.run_to_end(port, count=20000)
        self.assertIn("spans wait, and are dropped", run.log)
        self.assertRegex(run.log, r"0 spans exported, 20000 dropped")

    def test_one_that_never_answers_holds_nobody_up(self):
        with silent() as port, running.Running(
                self.folder, more=traces(port, more=", queue: 64")) as run:
            running.await_that(lambda: self.dropped(run, "full") > 0,
                               "spans that were dropped")
            before = self.done(run)
            running.await_that(lambda: self.done(run) > before + 1000,
                               "messages that go on")
            run.process.send_signal(signal.SIGTERM)
            self.assertEqual(run.process.wait(running.PATIENCE_S), 0)
            self.assertRegex(run.log, r"0 spans exported, \d+ dropped")

    def test_nonsense_holds_nobody_up(self):
        for text in (b"\0\1\2nonsense\r\n\r\n", b"HTTP/1.1 200 OK\r\n"
                     b"Content-Length: 99999999\r\n\r\n" + b"x" * 100000):
            with babbling(text) as port:
                run = self.run_to_end(port)
            self.assertRegex(run.log, r"0 spans exported, 200 dropped")

    def test_one_that_is_busy_is_asked_again(self):
        with Collector(503, 429, 200) as collector:
            with running.Running(
                    self.folder, producer="generator: { rate: 100 }",
                    more=traces(collector.port)) as run:
                running.await_that(
                    lambda: any(status == 200
                                for status, _ in list(collector.requests)),
                    "spans that were taken")
                running.await_that(
                    lambda: self.counted(run, "weir_spans_exported_total") > 0,
                    "spans that count as exported")
                self.assertEqual(self.dropped(run, "refused"), 0)
                run.await_log("the collector takes spans again")
        bodies = [body for _, body in collector.requests]
        first = decode(self.request, bodies[0])
        again = decode(self.request, bodies[2])
        self.assertEqual(
            first.resource_spans[0].scope_spans[0].spans[0].span_id,
            again.resource_spans[0].scope_spans[0].spans[0].span_id)

    def test_what_is_refused_is_dropped_and_counted(self):
        with Collector(400) as collector, running.Running(
                self.folder, more=traces(collector.port)) as run:
            running.await_that(lambda: self.dropped(run, "refused") > 0,
                               "spans that were refused")
            run.await_log("the collector answered 400")
            self.assertEqual(
                self.counted(run, "weir_spans_exported_total"), 0)

    def test_refusals_are_said_once_until_they_are_over(self):
        with Collector(401, 401, 401, 200) as collector, running.Running(
                self.folder, more=traces(collector.port)) as run:
            run.await_log("the collector takes spans again")
            self.assertEqual(run.log.count("the collector answered 401"), 1)

    def test_a_partial_success_is_counted(self):
        with Collector(200, answer=json.dumps(
                {"partialSuccess": {"rejectedSpans": "7"}}).encode()
                       ) as collector:
            run = self.run_to_end(collector.port)
        self.assertRegex(run.log, r"193 spans exported, 7 dropped")

    def test_the_authorization_is_nowhere(self):
        with Collector(401) as collector, running.Running(
                self.folder, more=traces(
                    collector.port, more=f", authorization: {AUTHORIZATION}")
                ) as run:
            run.await_log("the collector answered 401")
            for path in ("/api/v1/configuration", "/metrics"):
                self.assertNotIn("planted", str(run.get(path)))
            self.assertNotIn("planted", run.log)

    def counted(self, run, sample):
        for line in run.get("/metrics").splitlines():
            if line.startswith(f"{sample}{{"):
                return float(line.split()[-1])
        return None

    def dropped(self, run, reason):
        found = re.search(rf'weir_spans_dropped_total{{[^}}]*reason="{reason}"}} '
                          r"(\d+)", run.get("/metrics"))
        return int(found[1])

    def done(self, run):
        return self.counted(run, "weir_messages_done_total")


if __name__ == "__main__":
    skip_without("protoc", "google.protobuf")
    with tempfile.TemporaryDirectory() as compiled:
        TracesTest.request = definitions(compiled)
        unittest.main(verbosity=2)
