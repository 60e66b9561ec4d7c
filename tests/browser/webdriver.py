"""A real headless Chromium, by the WebDriver protocol and nothing but Python's library."""
import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

START_S, WAIT_S = 120, 60
ARGUMENTS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync",
             "--disable-dev-shm-usage", "--no-proxy-server"]


def missing():
    """What this machine lacks; None: nothing."""
    for program in ("chromium", "chromedriver"):
        if not shutil.which(program):
            return f"{program} is not installed (scripts/deps test)"
    return None


class Browser:
    """One window; ended with the block."""

    def __init__(self, *arguments):
        self.folder = tempfile.TemporaryDirectory(prefix="weir-browser-")
        self.log_path = os.path.join(self.folder.name, "driver.log")
        with open(self.log_path, "wb") as log:
            self.driver = subprocess.Popen(
                ["chromedriver", "--port=0"], stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT)
        self.url = f"http://127.0.0.1:{self.port()}"
        options = {"binary": shutil.which("chromium"), "args": [
            *ARGUMENTS, f"--user-data-dir={self.folder.name}/profile", *arguments]}
        wanted = {"browserName": "chrome", "goog:chromeOptions": options,
                  "goog:loggingPrefs": {"browser": "ALL"}}
        self.session = self.call("POST", "/session", {
            "capabilities": {"alwaysMatch": wanted}})["sessionId"]

    def port(self):
        deadline = time.monotonic() + START_S
        while time.monotonic() < deadline:
            with open(self.log_path, encoding="utf-8") as log:
                text = log.read()
            if "successfully on port " in text:
                return int(text.rsplit("on port ", 1)[1].split(".")[0])
            assert self.driver.poll() is None, text
            time.sleep(0.05)
        raise AssertionError("chromedriver did not start")

    def call(self, method, path, body=None):
        request = urllib.request.Request(
            self.url + path, method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=START_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            raise AssertionError(f"{path}: {error.read().decode()}") from None

    def do(self, method, path, body=None):
        return self.call(method, f"/session/{self.session}{path}", body)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        try:
            self.call("DELETE", f"/session/{self.session}")
        finally:
            self.driver.terminate()
            self.driver.wait()
            self.folder.cleanup()

    def go(self, url):
        self.do("POST", "/url", {"url": url})

    def run(self, script):
        """What the script returns."""
        return self.do("POST", "/execute/sync", {"script": script, "args": []})

    def wait(self, script, what):
        """Until the expression is true."""
        deadline = time.monotonic() + WAIT_S
        while not self.run(f"return {script}"):
            assert time.monotonic() < deadline, f"waited in vain for {what}: {self.text()}"
            time.sleep(0.05)

    def text(self):
        return self.run("return document.body.innerText")

    def press(self, keys):
        """Key strokes to whatever has the focus."""
        actions = [step for key in keys for step in (
            {"type": "keyDown", "value": key}, {"type": "keyUp", "value": key})]
        self.do("POST", "/actions", {"actions": [
            {"type": "key", "id": "keyboard", "actions": actions}]})

    def emulate(self, width, height, scheme):
        """A screen of this size, dark or light."""
        for command, values in (
                ("Emulation.setDeviceMetricsOverride", {
                    "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}),
                ("Emulation.setEmulatedMedia", {
                    "features": [{"name": "prefers-color-scheme", "value": scheme}]})):
            self.do("POST", "/goog/cdp/execute", {"cmd": command, "params": values})

    def screenshot(self, path):
        """All of the page."""
        shot = self.do("POST", "/goog/cdp/execute", {
            "cmd": "Page.captureScreenshot", "params": {"captureBeyondViewport": True}})
        with open(path, "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def complaints(self):
        """What the console said: errors, and what a policy forbade."""
        lines = self.do("POST", "/se/log", {"type": "browser"})
        return [line["message"] for line in lines if line["level"] != "INFO"]
