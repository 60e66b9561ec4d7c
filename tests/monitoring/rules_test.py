"""The alerts by themselves: promtool's unit tests, and that nothing is left out."""
import glob
import os
import subprocess

from prometheus import RULES, need_prometheus
from runbook import SECTIONS, Runbook

import harness
from harness import expect, expect_equal

HERE = os.path.dirname(os.path.abspath(__file__))
UNIT_TESTS = f"{HERE}/weir.rules.test.yaml"
RUNBOOKS = f"{harness.ROOT}/docs/runbooks"


def read(path):
    import yaml
    with open(path, encoding="utf-8") as file:
        return yaml.safe_load(file)


def alerts():
    """name: its rule"""
    return {rule["alert"]: rule for group in read(RULES)["groups"]
            for rule in group["rules"]}


def unit_tests():
    """Each alert fires when it should, and is silent when it shouldn't."""
    need_prometheus()
    said = subprocess.run(["promtool", "test", "rules", UNIT_TESTS],
                          check=False, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, timeout=120)
    expect_equal(said.returncode, 0, f"promtool says {said.stdout}")
    asked = [case for test in read(UNIT_TESTS)["tests"]
             for case in test["alert_rule_test"]]
    for name in alerts():
        mine = [case for case in asked if case["alertname"] == name]
        expect(any(case.get("exp_alerts") for case in mine),
               f"nothing shows that {name} fires")
        expect(any(not case.get("exp_alerts") for case in mine),
               f"nothing shows that {name} is silent")


def runbooks():
    """Each alert has one that names it, each runbook its alerts, and all of its
    sections."""
    used = set()
    for name, rule in alerts().items():
        path = rule["annotations"]["runbook"]
        expect(os.path.exists(f"{harness.ROOT}/{path}"), f"{path} isn't there")
        book = Runbook(os.path.basename(path).removesuffix(".md"))
        expect(book.is_named(name), f"{path} doesn't name {name}")
        expect_equal(list(book.sections), SECTIONS, f"sections of {path}")
        used.add(os.path.basename(path))
    expect_equal({os.path.basename(path) for path in
                  glob.glob(f"{RUNBOOKS}/*.md")} - {"README.md"},
                 used, "runbooks")


if __name__ == "__main__":
    harness.main({"unit_tests": unit_tests, "runbooks": runbooks})
