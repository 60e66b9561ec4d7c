"""The dashboard, in a real Chromium: what it shows, and what it never does."""
import os
import subprocess
import sys
import unittest

import running
import webdriver

SHOTS = os.environ["WEIR_SHOTS"]
TAB, ENTER = "\ue004", "\ue007"
MARKUP = "<img src=x onerror=document.body.dataset.taken=1>"

# Fails one of three with markup for a reason, and holds the rest up a little.
HANDLER = """
#include <weir/handler.h>
#include <time.h>

static enum weir_status handle_message(struct weir_message *msg, void *state)
{
    const struct timespec nap = {0, 2000000};

    (void)state;
    (void)nanosleep(&nap, NULL);
    if (weir_message_offset(msg) % 3 == 0)
        return weir_message_reject(msg, "%s", "MARKUP");
    return WEIR_OK;
}

WEIR_HANDLER(markup, .handle_message = handle_message);
""".replace("MARKUP", MARKUP)


def handler(folder):
    source = f"{folder}/markup.c"
    with open(source, "w", encoding="utf-8") as file:
        file.write(HANDLER)
    subprocess.run([running.WEIR, "cc", source, "-o", f"{folder}/markup.so"], check=True,
                   timeout=running.PATIENCE_S)
    return f"{{ plugin: {folder}/markup.so }}"


class DashboardTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        os.makedirs(SHOTS, exist_ok=True)
        folder = running.folder()
        cls.addClassCleanup(folder.cleanup)
        cls.weir = running.Running(
            folder.name, name="'<script>document.body.dataset.taken=1'",
            file="dashboard", handler=handler(folder.name),
            producer="generator: { rate: 1500, size: 99B }")
        cls.addClassCleanup(cls.weir.__exit__, None, None, None)
        cls.browser = webdriver.Browser()
        cls.addClassCleanup(cls.browser.__exit__)

    def setUp(self):
        self.browser.emulate(1200, 900, "light")
        self.browser.go(f"http://127.0.0.1:{self.weir.port}/")
        self.browser.wait("Number(document.body.dataset.looks) >= 2", "the second look")

    def tearDown(self):
        self.assertEqual(self.browser.complaints(), [])

    def test_it_shows_stages_sources_failures_and_the_ledger(self):
        self.browser.wait("document.querySelectorAll('#failures tbody tr').length > 3",
                          "failures")
        text = self.browser.text()
        for part in ("generator", "received", "in flight", "reason", "generator[0]"):
            self.assertIn(part, text)
        titles = self.browser.run(
            "return [...document.querySelectorAll('svg .title')].map(one => one.textContent)")
        self.assertEqual(sorted(titles), ["default", "discard ×1", "generator ×1", "markup ×2"])
        received = "Number(document.querySelector('#ledger dd').textContent.replaceAll(',', ''))"
        before = self.browser.run(f"return {received}")
        self.browser.wait(f"{received} > {before}", "a number that rises")

    def test_what_stands_is_marked_as_the_bottleneck(self):
        self.browser.wait("document.querySelector('svg .bottleneck .title')", "a bottleneck")
        self.assertEqual(self.browser.run(
            "return document.querySelector('svg .bottleneck .title').textContent"), "markup ×2")
        self.assertIn("wait for the processor", self.browser.text())

    def test_nothing_of_a_message_or_a_name_is_executed(self):
        self.browser.wait("document.querySelector('#failures tbody tr')", "a failure")
        self.assertIn(MARKUP, self.browser.text())
        self.assertIsNone(self.browser.run("return document.body.dataset.taken || null"))
        self.assertEqual(self.browser.run(
            "return document.querySelectorAll('main img, [onload], [onerror]').length"), 0)

    def test_the_page_may_run_nothing_but_its_own_script(self):
        self.browser.run("""
            const script = document.createElement('script');
            script.textContent = 'document.body.dataset.taken = 1';
            document.body.append(script);""")
        self.assertIsNone(self.browser.run("return document.body.dataset.taken || null"))
        complaints = self.browser.complaints()
        self.assertTrue(any("Content Security Policy" in line for line in complaints), complaints)

    def test_a_pause_is_said_at_once(self):
        self.assertEqual(self.weir.change("/api/v1/pause")[0], 200)
        self.browser.wait("document.getElementById('state').textContent === 'not ready'",
                          "the badge")
        self.assertIn("paused: ", self.browser.text())
        self.assertEqual(self.weir.change("/api/v1/resume")[0], 200)
        self.browser.wait("document.getElementById('state').textContent === 'ready'", "the badge")

    def test_keyboard_and_screen_reader(self):
        self.browser.press([TAB])
        self.assertEqual(self.browser.run("return document.activeElement.className"), "skip")
        self.browser.press([TAB])
        self.assertEqual(self.browser.run("return document.activeElement.id"), "hold")
        self.browser.press([ENTER])
        self.assertEqual(self.browser.run(
            "return document.activeElement.getAttribute('aria-pressed')"), "true")
        self.assertEqual(self.browser.run("return document.documentElement.lang"), "en")
        label = self.browser.run("return document.querySelector('svg').getAttribute('aria-label')")
        self.assertIn("generator ×1: ", label)
        unnamed = self.browser.run(
            "return [...document.querySelectorAll('section, [role=region]')]"
            ".filter(one => !document.getElementById(one.getAttribute('aria-labelledby'))).length")
        self.assertEqual(unnamed, 0)

    def test_every_width_and_both_colours_are_readable(self):
        self.browser.wait("document.querySelector('#failures tbody tr')", "a failure")
        for scheme in ("light", "dark"):
            for width in (360, 1200):
                with self.subTest(width=width, scheme=scheme):
                    self.browser.emulate(width, 900, scheme)
                    looks = self.browser.run("return Number(document.body.dataset.looks)")
                    self.browser.wait(f"Number(document.body.dataset.looks) > {looks + 1}",
                                      "another look")
                    self.browser.screenshot(f"{SHOTS}/dashboard-{width}-{scheme}.png")
                    self.assertLessEqual(self.browser.run(
                        "return document.documentElement.scrollWidth"), width)
                    smallest = self.browser.run(
                        "return Math.min(...[...document.querySelectorAll('svg text')]"
                        ".map(one => one.getBoundingClientRect().height))")
                    self.assertGreater(smallest, 11)


if __name__ == "__main__":
    reason = webdriver.missing()
    if reason and os.environ.get("WEIR_REQUIRE_BROKERS") != "1" and os.environ.get("CI") != "true":
        print(f"SKIPPED: {reason}")
        sys.exit(77)
    unittest.main(verbosity=2)
