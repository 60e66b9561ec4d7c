"""What it costs to be watched: the same run, told of and not, in turn.

Watched: the admin interface is on and scraped once a second, StatsD is sent once
a second, and one of a hundred messages is traced to a collector that takes what
it is sent.  What is always measured (histograms, where a message is) both have.
"""
import contextlib
import http.server
import socket
import statistics
import threading
import urllib.request

import measuring
import rows

PERIOD_S, MOST = 1.0, 0.03
THREADS = ("weir-admin", "weir-statsd", "weir-traces")

WATCHED = """
admin: {{ listen: "127.0.0.1:{admin}" }}
telemetry:
  statsd: {{ address: "127.0.0.1:{statsd}", interval: 1s }}
{traces}
"""
TRACES = "  traces: {{ endpoint: \"http://127.0.0.1:{port}/\", sample: {share} }}"


class Answer(http.server.BaseHTTPRequestHandler):
    """To whatever is posted: it was taken."""

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def collector():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


@contextlib.contextmanager
def scraping(port, count):
    """Once a second; `count` gets how often it was answered."""
    is_over = threading.Event()

    def scrape():
        while not is_over.wait(PERIOD_S):
            with contextlib.suppress(OSError):
                with urllib.request.urlopen(
                        f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
                    count.append(len(page.read()))
    thread = threading.Thread(target=scrape, daemon=True)
    thread.start()
    try:
        yield
    finally:
        is_over.set()
        thread.join()


def watched(stand, path, count, options=(), share=None):
    """The same topology, with all that tells of it."""
    admin, pages = free_port(), []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd, \
            collector() as port:
        statsd.bind(("127.0.0.1", 0))
        traces = TRACES.format(port=port, share=share) if share else ""
        with open(path, encoding="utf-8") as file:
            text = file.read() + WATCHED.format(
                admin=admin, statsd=statsd.getsockname()[1], traces=traces)
        with scraping(admin, pages):
            result = measuring.measure_share(
                stand.weir_run(stand.topology(text), *options), stand.folder,
                count, THREADS)
    return {**result, "pages": len(pages)}


def cost_of(row):
    """The median of the turns' own ratios: what else the machine does changes
    from turn to turn, less within one."""
    return statistics.median(one["cpu"] / other["cpu"]
                             for one, other in zip(row.weir, row.bare))


def pairs(stand, options, label, count, make, *flags):
    """Alternating, each first as often as last; `make` writes the topology."""
    told = rows.Row(f"{label}: told of, and not")
    traced = rows.Row(f"{label}: 1 % traced, too, and not")
    sides = [
        lambda: told.bare.append(measuring.measure(
            stand.weir_run(make(), *flags), stand.folder, count)),
        lambda: told.weir.append(watched(stand, make(), count, flags)),
        lambda: traced.weir.append(watched(stand, make(), count, flags, "1%"))]
    for turn in range(options.runs):
        for side in sides if turn % 2 == 0 else reversed(sides):
            side()
    traced.bare = told.bare
    told.sides = traced.sides = ("told", "not")
    told.notes.append("scrapes answered: "
                      + ", ".join(str(run["pages"]) for run in told.weir))
    for row in (told, traced):
        share = measuring.median(row.weir, "share")
        row.notes.append(f"CPU {cost_of(row):.3f} of not told of; the threads "
                         f"that tell: {share:.2%} of weir's")
    share = measuring.median(told.weir, "share")
    told.expect(f"threads that tell <= {MOST:.0%} of CPU", f"{share:.2%}",
                share <= MOST)
    return [told, traced]


def told_in_memory(stand, options):
    count = 5000000 if options.quick else 30000000
    return pairs(
        stand, options, "in memory, 100 B", count, lambda: rows.topology(
            stand, f"  generator: {{ size: 100B, count: {count} }}",
            "  concurrency: 2",
            "batchers:\n  default: { batch_size: 1000, sink: discard }"))


def told_kafka(stand, options):
    """A group of its own for each run, since each reads all of it."""
    count = 1000000 if options.quick else 6000000
    topic = stand.topic(stand.unique("told"))
    stand.run(stand.fill_kafka(topic, count, 100))
    found = pairs(
        stand, options, "Kafka, 100 B", count, lambda: rows.topology(
            stand, rows.kafka_source(stand, topic)), "--until-end")
    stand.drop_topic(topic)
    return found


def telemetry(stand, options):
    return told_in_memory(stand, options) + told_kafka(stand, options)
