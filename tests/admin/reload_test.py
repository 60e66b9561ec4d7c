"""A topology file that is read again: fine ones, bad ones, and who may ask."""
import os
import re
import signal
import subprocess
import threading
import unittest

import running

PATH = "/api/v1/reload"


class ReloadTest(unittest.TestCase):
    def setUp(self):
        folder = running.folder()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def running(self, **values):
        weir = running.Running(self.folder, **values)
        self.addCleanup(weir.__exit__, None, None, None)
        self.text = self.read(weir)
        return weir

    @staticmethod
    def read(weir):
        with open(weir.topology, encoding="utf-8") as file:
            return file.read()

    def write(self, weir, *changes):
        """The file as it was at first, with `changes`: (old, new)."""
        text = self.text
        for old, new in changes:
            self.assertIn(old, text)
            text = text.replace(old, new)
        with open(f"{weir.topology}.new", "w", encoding="utf-8") as file:
            file.write(text)
        os.rename(f"{weir.topology}.new", weir.topology)

    def reload(self, weir):
        """What the POST answers, when it is over."""
        status, _, body = weir.change(PATH)
        self.assertEqual(status, 200, body)
        return body

    def hang_up(self, weir):
        """The result of SIGHUP."""
        before = weir.get(PATH)["last"]
        weir.process.send_signal(signal.SIGHUP)
        running.await_that(lambda: weir.get(PATH)["last"] != before, "SIGHUP to be served")
        return weir.get(PATH)

    def assert_refused(self, weir, pattern):
        """By either way; nothing has changed, and it goes on."""
        topology, generation = weir.get("/api/v1/topology"), weir.get(PATH)["generation"]
        status, _, body = weir.change(PATH)
        self.assertEqual(status, 422, body)
        self.assertRegex(body["error"], pattern)
        state = self.hang_up(weir)
        self.assertEqual(state["last"]["result"], "refused")
        self.assertEqual(state["last"]["by"], "SIGHUP")
        self.assertRegex(state["last"]["why"], pattern)
        self.assertEqual(state["generation"], generation)
        self.assertEqual(weir.get("/api/v1/topology"), topology)
        self.assertIn('weir_reload_refused{pipeline="watched"} 1', weir.get("/metrics"))
        received = weir.get("/api/v1/ledger")["received"]
        running.await_that(lambda: weir.get("/api/v1/ledger")["received"] > received,
                           "more messages after a reload that was refused")

    def test_values_change_and_it_is_told_everywhere(self):
        weir = self.running()
        self.assertEqual(weir.get(PATH), {"generation": 1, "stages_behind": 0, "last": None})
        self.write(weir, ("batch_timeout: 20ms", "batch_timeout: 30ms, batch_size: 7"),
                   ("rate: 2000", "rate: 2001"))
        state = self.reload(weir)
        self.assertEqual(state["generation"], 2)
        self.assertEqual((state["last"]["result"], state["last"]["by"]), ("applied", "admin"))
        self.assertEqual(state["last"]["applied"], [
            {"path": "batchers.default.batch_size", "from": "100", "to": "7"},
            {"path": "batchers.default.batch_timeout", "from": "20ms", "to": "30ms"}])
        self.assertEqual(state["last"]["needs_restart"], [
            {"path": "producer.generator.rate", "from": "2000", "to": "2001"}])
        [batcher] = weir.get("/api/v1/topology")["batchers"]
        self.assertEqual((batcher["batch_size"], batcher["batch_timeout_seconds"]), (7, 0.03))
        configuration = weir.get("/api/v1/configuration")
        self.assertEqual(configuration["batchers"]["default"]["batch_size"], "7")
        self.assertEqual(configuration["producer"]["generator"]["rate"], "2000")
        self.assertEqual(weir.get("/api/v1/explain")["reload"]["generation"], 2)
        metrics = weir.get("/metrics")
        for sample in ("weir_reload_generation{X} 2", "weir_reload_refused{X} 0",
                       "weir_reload_needs_restart{X} 1",
                       'weir_reloads_total{X,result="applied"} 1'):
            self.assertIn(sample.replace("X", 'pipeline="watched"'), metrics)
        running.await_that(lambda: weir.get(PATH)["stages_behind"] == 0, "every stage to go by them")
        self.assertRegex(weir.log, r"reloaded \(admin\), applied, generation 2: batchers.default.batch_size "
                                   r"from 100 to 7, .*; needs a restart: producer.generator.rate")
        self.assertEqual(self.hang_up(weir)["last"]["result"], "unchanged")

    def test_what_the_admin_interface_changed_is_as_the_file_says_again(self):
        weir = self.running()
        weir.change("/api/v1/rate_limit", {"messages": 5})
        weir.change("/api/v1/log_level", {"level": "error"})
        applied = {change["path"]: change["to"] for change in self.reload(weir)["last"]["applied"]}
        self.assertEqual(applied, {"producer.rate_limit.messages": "none",
                                   "producer.rate_limit.interval": "none", "log.level": "info"})
        self.assertIsNone(weir.get("/api/v1/rate_limit")["messages"])

    def test_a_broken_file_is_refused(self):
        weir = self.running()
        for change, pattern in ((("processors:", "processors: ["), "not well-formed YAML"),
                                (("batch_timeout: 20ms", "batch_timeout: 20ms, batch_size: no"),
                                 r"batchers.default.batch_size: "),
                                (("then: drop", "thn: drop"), "failure.then: is required"),
                                (("then: drop", "then: dead_letter"), "failure.then: ")):
            with self.subTest(pattern=pattern):
                self.write(weir, change, ("rate: 2000", "rate: 2000, size: 100B"))
                self.assert_refused(weir, pattern)
        self.assertIn("do: mend the file", self.explain(weir))
        self.write(weir)
        self.assertEqual(self.reload(weir)["last"]["result"], "unchanged")
        self.assertNotIn("refused", self.explain(weir))

    @staticmethod
    def explain(weir):
        return subprocess.run([running.WEIR, "explain", "--address", f"127.0.0.1:{weir.port}"],
                              check=True, capture_output=True, text=True).stdout

    def test_what_needs_a_restart_is_explained(self):
        weir = self.running()
        self.write(weir, ("rate: 2000", "rate: 2001"))
        self.reload(weir)
        self.assertRegex(self.explain(weir), r"only a restart makes hold, at\n    producer.generator.rate\n")

    def test_a_file_of_another_pipeline_is_refused(self):
        weir = self.running()
        self.write(weir, ("name: watched", "name: other"), ("batch_timeout: 20ms", "batch_timeout: 1ms"))
        self.assert_refused(weir, "is of the pipeline other, and watched is what runs")

    def test_a_file_that_is_gone_or_can_not_be_read_is_refused(self):
        weir = self.running()
        os.remove(weir.topology)
        self.assert_refused(weir, "No such file")
        os.mkdir(weir.topology)
        self.assert_refused(weir, "no regular file")
        os.rmdir(weir.topology)
        os.mkfifo(weir.topology)
        self.assert_refused(weir, "no regular file")
        os.remove(weir.topology)
        os.symlink(weir.topology, weir.topology)
        self.assert_refused(weir, "Too many levels")
        os.remove(weir.topology)
        with open(weir.topology, "wb") as file:
            file.write(self.text.encode() + b"# " + b"x" * 2000000)
        self.assert_refused(weir, "larger than 1024 KiB")
        with open(weir.topology, "wb") as file:
            file.write(b"\0\xff" * 5000)
        self.assert_refused(weir, ".")
        open(weir.topology, "wb").close()
        self.assert_refused(weir, "is required|empty|mapping")

    def test_a_secret_that_is_gone_is_refused_and_one_that_changed_is_not_shown(self):
        secret = os.path.join(self.folder, "secret")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("planted-secret-of-a-broker")
        options = 'sasl: { mechanism: PLAIN, username: u, password: "${file:' + secret + '}" }'
        weir = self.running(producer='kafka: { brokers: "127.0.0.1:1", group: g, topics: [t], '
                            + options + " }")
        with open(secret, "w", encoding="utf-8") as file:
            file.write("planted-secret-of-another")
        [change] = self.reload(weir)["last"]["needs_restart"]
        self.assertEqual(change, {"path": "producer.kafka.sasl.password", "from": "***", "to": "***"})
        os.remove(secret)
        status, _, body = weir.change(PATH)
        self.assertEqual(status, 422)
        self.assertRegex(body["error"], "producer.kafka.sasl")
        self.assertRegex(weir.log, "producer.kafka.sasl.password: .*No such file")
        for text in (weir.log, str(weir.get(PATH)), str(body)):
            self.assertNotIn("planted-secret-of", text)

    def test_a_secret_that_never_comes_blocks_nobody(self):
        """A pipe without a writer: the reload waits, and nothing else does."""
        weir = self.running()
        pipe = os.path.join(self.folder, "pipe")
        os.mkfifo(pipe)
        self.write(weir, ("log: {", "state: '${file:" + pipe + "}'\nlog: {"))
        status, _, body = weir.change(PATH)
        self.assertEqual((status, body["last"]), (202, None))
        self.assertEqual(weir.ask("/livez")[0], 200)
        weir.process.send_signal(signal.SIGTERM)
        self.assertEqual(weir.process.wait(running.PATIENCE_S), 0)

    def test_nobody_reloads_without_the_token(self):
        weir = self.running()
        self.write(weir, ("batch_timeout: 20ms", "batch_timeout: 30ms"))
        self.assertEqual(weir.ask(PATH, "POST")[0], 401)
        self.assertEqual(weir.ask(PATH, "POST", token="wrong" * 4)[0], 403)
        self.assertEqual(weir.get(PATH)["last"], None)

    def test_many_at_once_are_all_served(self):
        weir = self.running()
        answers = []
        self.write(weir, ("batch_timeout: 20ms", "batch_timeout: 30ms"))

        def ask():
            answers.append(weir.change(PATH)[0])
            weir.process.send_signal(signal.SIGHUP)
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(set(answers) - {200, 202}, set())
        running.await_that(lambda: weir.get(PATH)["generation"] == 2, "the new values")
        self.assertEqual(len(re.findall("generation 2: ", weir.log)), 1)

    def test_paused_it_is_reloaded_and_draining_it_is_not(self):
        weir = self.running(producer="generator: { rate: 2000 }\n  rate_limit: { messages: 2000 }")
        weir.change("/api/v1/pause")
        self.write(weir, ("messages: 2000", "messages: 1000"))
        self.assertEqual(self.reload(weir)["last"]["result"], "applied")
        self.assertIn("paused: ", weir.ask("/readyz")[2])
        weir.process.send_signal(signal.SIGTERM)
        weir.process.send_signal(signal.SIGHUP)
        self.assertEqual(weir.process.wait(running.PATIENCE_S), 0)

    def test_an_override_of_the_command_line_holds(self):
        weir = self.running(extra=("--set", "batchers.default.batch_size=3"))
        self.write(weir, ("batch_timeout: 20ms", "batch_timeout: 20ms, batch_size: 9"))
        self.assertEqual(self.reload(weir)["last"]["result"], "unchanged")


if __name__ == "__main__":
    unittest.main(verbosity=2)
