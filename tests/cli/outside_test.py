"""outside_test.py - handlers and programs built against an installed weir."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest

BUILD = os.environ["WEIR_BUILD"]
SOURCE = os.environ["WEIR_SOURCE"]
FLAGS = os.environ.get("WEIR_FLAGS", "")  # sanitizers go through everything
HERE = os.path.dirname(os.path.abspath(__file__))

TOPOLOGY = """\
name: flow
producer: stdin
processors: { handler: HANDLER }
batchers: { default: { sink: stdout } }
failure: { then: drop }
"""


def run(*command, **options):
    result = subprocess.run(command, text=True, capture_output=True,
                            timeout=240, check=False, **options)
    if result.returncode != 0:
        raise AssertionError(f"{command}: {result.stdout}{result.stderr}")
    return result.stdout


class Outside(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="weir-outside-")
        first = os.path.join(cls.folder, "first")
        cls.prefix = os.path.join(cls.folder, "weir")
        run("cmake", "--install", BUILD, "--prefix", first)
        os.rename(first, cls.prefix)  # an installed tree can be moved
        cls.environment = {
            name: value for name, value in os.environ.items()
            if not name.startswith("WEIR")}
        cls.build = os.path.join(cls.folder, "build")
        run("cmake", "-S", os.path.join(HERE, "outside"), "-B", cls.build,
            "-G", "Ninja", "-DCMAKE_PREFIX_PATH=" + cls.prefix, "-DCMAKE_C_FLAGS=" + FLAGS,
            "-DCMAKE_CXX_FLAGS=" + FLAGS, env=cls.environment)
        run("cmake", "--build", cls.build, env=cls.environment)

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.folder)

    def weir(self, *arguments, program=None, **options):
        program = program or os.path.join(self.prefix, "bin", "weir")
        return run(program, *arguments, cwd=self.folder,
                   env=self.environment, **options)

    def topology(self, handler):
        path = os.path.join(self.folder, "topology.yaml")
        with open(path, "w", encoding="utf-8") as out:
            out.write(TOPOLOGY.replace("HANDLER", handler))
        return path

    def test_a_c_and_a_cxx_handler_work_in_the_installed_command(self):
        for name, expected in (("c_handler", "one\ntwo\n"),
                               ("cxx_handler", "hello one\nhello two\n")):
            with self.subTest(name=name):
                file = self.topology(
                    "{ plugin: " + os.path.join(self.build, name + ".so") + " }")
                self.weir("check", file)
                out = self.weir("run", file, input="one\ntwo\n")
                self.assertEqual(sorted(out.splitlines(True)),
                                 sorted(expected.splitlines(True)))

    def test_a_program_has_the_whole_command_with_its_handler(self):
        program = os.path.join(self.build, "program")
        self.assertEqual(
            self.weir("run", self.topology("linked"), program=program,
                      input="one\n"), "linked\n")
        self.assertIn("linked", self.weir("list", program=program))

    def test_weir_cc_works_from_the_install(self):
        self.weir("new", "handler", "fresh")
        environment = dict(self.environment, WEIR=os.path.join(
            self.prefix, "bin", "weir"))
        run(os.path.join(self.folder, "fresh", "test.sh"), env=environment)

    def test_a_handler_in_the_handlers_folder_is_found_by_its_name(self):
        folder = os.path.join(self.folder, "handlers")
        os.makedirs(folder, exist_ok=True)
        shutil.copy(os.path.join(self.build, "c_handler.so"), folder)
        environment = dict(self.environment, WEIR_HANDLER_PATH=folder)
        file = self.topology("{ plugin: c_handler }")
        run(os.path.join(self.prefix, "bin", "weir"), "check", file,
            env=environment)

    def test_a_handler_among_the_installed_ones_is_found_by_its_name(self):
        folder = self.pkg_config("--variable=handlerdir")
        self.assertEqual(os.path.commonpath([folder, self.prefix]), self.prefix)
        file = self.topology("{ plugin: installed }")
        with self.assertRaisesRegex(AssertionError, re.escape(folder)):
            self.weir("check", file)
        shutil.copy(os.path.join(self.build, "c_handler.so"),
                    os.path.join(folder, "installed.so"))
        self.weir("check", file)

    def pkg_config(self, *arguments):
        pc = None
        for folder, _, files in os.walk(self.prefix):
            if "weir.pc" in files:
                pc = folder
        self.assertIsNotNone(pc)
        return os.path.normpath(run(
            "pkg-config", *arguments, "weir",
            env=dict(self.environment, PKG_CONFIG_PATH=pc)).strip())

    def test_pkg_config_knows_it(self):
        libdir = self.pkg_config("--variable=libdir")
        flags = run("pkg-config", "--cflags", "--libs", "weir",
                    env=dict(self.environment, PKG_CONFIG_PATH=os.path.join(
                        libdir, "pkgconfig"))).split()
        binary = os.path.join(self.folder, "with-pkg-config")
        run("cc", *FLAGS.split(), os.path.join(HERE, "outside", "program.c"),
            "-o", binary, *flags, "-Wl,-rpath," + libdir)
        self.assertIn("weir ", self.weir("version", program=binary))

    def test_the_library_exports_the_public_functions_and_nothing_else(self):
        library = None
        for folder, _, files in os.walk(self.prefix):
            for name in files:
                if re.fullmatch(r"libweir\.so\.\d+\.\d+\.\d+", name):
                    library = os.path.join(folder, name)
        self.assertIsNotNone(library)
        self.assertIn("libweir.so.0]", run("readelf", "-d", library))
        exported = {line.split()[-1].split("@")[0] for line in
                    run("nm", "-D", "--defined-only", library).splitlines()}
        exported = {name for name in exported if not name.startswith("WEIR_")}
        declared = set()
        headers = os.path.join(SOURCE, "include", "weir")
        for name in os.listdir(headers):
            if name.endswith(".h"):
                with open(os.path.join(headers, name), encoding="utf-8") as file:
                    text = re.sub(r"/\*.*?\*/", "", file.read(), flags=re.S)
                for part in re.findall(r"^WEIR_EXPORT(.*?);", text,
                                       flags=re.S | re.M):
                    part = re.sub(r"WEIR_PRINTF\(.*?\)", "", part)
                    declared.add(re.search(r"(weir_\w+)\s*\(", part).group(1))
        self.assertEqual(exported, declared)


if __name__ == "__main__":
    unittest.main()
