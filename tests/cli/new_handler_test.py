"""new_handler_test.py - what `weir new handler` writes works as it is."""

import os
import subprocess
import unittest

from command import WEIR, CommandTest


class NewHandler(CommandTest):
    def test_it_compiles_and_passes_the_check(self):
        result = self.weir("new", "handler", "orders")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertEqual(result.stdout.split(),
                         ["orders/orders.c", "orders/topology.yaml",
                          "orders/test.sh", "orders/Dockerfile"])
        folder = self.path("orders")
        built = self.weir("cc", "orders.c", "-o", "orders.so", "-Werror",
                          cwd=folder)
        self.assertEqual(built.returncode, 0, built.stderr)
        checked = self.weir("check", "topology.yaml", cwd=folder)
        self.assertEqual(checked.returncode, 0, checked.stderr)

    def test_its_image_puts_the_handler_where_its_topology_finds_it(self):
        self.weir("new", "handler", "orders")
        with open(self.path("orders/Dockerfile"), encoding="utf-8") as file:
            lines = file.read().splitlines()
        self.assertIn("COPY --from=handler /src/orders.so "
                      "/usr/lib/weir/handlers/", lines)
        with open(self.path("orders/topology.yaml"), encoding="utf-8") as file:
            self.assertIn("  handler: { plugin: orders }\n", list(file))

    def test_what_exists_is_not_touched(self):
        os.mkdir(self.path("orders"))
        self.assert_usage(self.weir("new", "handler", "orders"),
                          "orders exists already")
        self.assertEqual(os.listdir(self.path("orders")), [])

    def test_a_name_that_is_no_word_is_refused(self):
        for name in ("", "1st", "a-b", "../up", "a b", "x" * 65):
            with self.subTest(name=name):
                self.assert_usage(self.weir("new", "handler", name),
                                  "is no name for a handler")
        self.assertEqual(os.listdir(self.folder), [])

    def test_only_handlers_can_be_made(self):
        self.assert_usage(self.weir("new", "sink", "orders"),
                          "not a sink")

    def test_a_folder_that_can_not_be_made_is_said(self):
        result = self.weir("new", "handler", "orders", cwd="/proc")
        self.assertEqual(result.returncode, 1)
        self.assertIn("cannot make the folder", result.stderr)


if __name__ == "__main__":
    unittest.main()
