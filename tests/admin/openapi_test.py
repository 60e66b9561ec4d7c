"""docs/openapi.yaml says what a running weir answers, and nothing else."""
import os
import re
import unittest

import jsonschema
import yaml

import running

with open(f"{running.SOURCE}/docs/openapi.yaml", encoding="utf-8") as file:
    OPENAPI = yaml.safe_load(file)

# What ends the run comes last.
LAST = "/api/v1/drain"


def resolve(node):
    while "$ref" in node:
        target = OPENAPI
        for name in node["$ref"].removeprefix("#/").split("/"):
            target = target[name]
        node = target
    return node


def operations():
    """Each path with each of its methods, LAST last."""
    for path in sorted(OPENAPI["paths"], key=lambda path: (path == LAST, path)):
        for method, operation in OPENAPI["paths"][path].items():
            yield path, method.upper(), operation


def schema_of(operation, status, kind):
    responses = operation["responses"]
    if str(status) not in responses:
        return None
    content = resolve(responses[str(status)]).get("content", {})
    return content.get(kind, {}).get("schema")


def validator(schema):
    return jsonschema.Draft202012Validator(
        schema, resolver=jsonschema.RefResolver("", OPENAPI),
        format_checker=jsonschema.FormatChecker())


class OpenApiTest(unittest.TestCase):
    def check(self, operation, answer, what):
        status, headers, body = answer
        kind = headers["Content-Type"].split(";")[0]
        schema = schema_of(operation, status, kind)
        self.assertIsNotNone(schema, f"{what}: {status} with {kind} is not in the file: {body}")
        errors = [f"{list(error.absolute_path)}: {error.message}"
                  for error in validator(schema).iter_errors(body)]
        self.assertEqual(errors, [], what)

    def test_the_file_is_sound(self):
        self.assertEqual(OPENAPI["openapi"], "3.1.0")
        for name, schema in OPENAPI["components"]["schemas"].items():
            with self.subTest(schema=name):
                jsonschema.Draft202012Validator.check_schema(schema)
        references = re.findall(r"'\$ref': '([^']+)'", str(OPENAPI))
        for reference in references:
            resolve({"$ref": reference})
        used = {reference.rsplit("/", 1)[-1] for reference in references}
        for part in ("schemas", "responses"):
            self.assertEqual(set(OPENAPI["components"][part]) - used, set())

    def test_every_path_of_the_program_is_in_the_file_and_no_other(self):
        with open(f"{running.SOURCE}/admin/respond.c", encoding="utf-8") as table:
            rows = re.findall(r'^    \{"(/[^"]*)",\s*(\w+),\s*(\w+)\}', table.read(), re.M)
        program = {(path, method) for path, *pages in rows if "." not in path and path != "/"
                   for method, page in zip(("GET", "POST"), pages) if page != "NULL"}
        self.assertGreater(len(program), 15)
        self.assertEqual(program, {(path, method) for path, method, _ in operations()})

    def test_what_a_running_weir_answers(self):
        with running.folder() as folder, running.Running(
                folder, handler="{ plugin: " + os.environ["WEIR_ACCESS_LOG"] + " }") as weir:
            weir.await_ready()
            running.await_that(lambda: weir.get("/api/v1/failures")["failures"], "messages that failed")
            for path, method, operation in operations():
                with self.subTest(path=path, method=method):
                    if method == "GET":
                        self.check(operation, weir.ask(path), path)
                        self.check(operation, weir.ask(path, Accept="application/json"), path)
                    else:
                        self.check_change(weir, path, operation)
            self.assertEqual(weir.process.wait(running.PATIENCE_S), 0)

    def check_change(self, weir, path, operation):
        content = operation.get("requestBody", {}).get("content", {})
        body = content.get("application/json", {}).get("example")
        self.check(operation, weir.ask(path, "POST", body), f"{path} without a token")
        self.check(operation, weir.ask(path, "POST", body, "wrong" * 4), f"{path} with a wrong one")
        if body:
            validator(content["application/json"]["schema"]).validate(body)
            answer = weir.change(path, "{")
            self.assertEqual(answer[0], 400)
            self.check(operation, answer, f"{path} with nonsense")
        answer = weir.change(path, body)
        self.assertIn(answer[0], (200, 202), answer)
        self.check(operation, answer, path)

    def test_a_tap_answers_as_the_file_says(self):
        path, operation = "/api/v1/tap", OPENAPI["paths"]["/api/v1/tap"]["get"]
        question = "?rate=1000&outcomes=done,rejected&payload=true"
        with running.folder() as folder, running.Running(
                folder, handler="{ plugin: " + os.environ["WEIR_ACCESS_LOG"] + " }") as weir:
            weir.await_ready()
            for query, token, status in (
                    ("?rate=0", None, 400), (question, None, 401),
                    (question, "wrong" * 4, 403), (question, running.TOKEN, 200)):
                answer = weir.ask(path + query, token=token)
                self.assertEqual(answer[0], status, answer)
                self.check(operation, answer, query)
            tap = f"{question}&tap={answer[2]['tap']}"

            def messages():
                answer = weir.ask(path + tap, token=running.TOKEN)
                self.check(operation, answer, tap)
                return answer[2]["messages"]
            running.await_that(messages, "messages that ended")

    def test_a_run_that_is_not_ready_answers_as_the_file_says(self):
        with running.folder() as folder, running.Running(
                folder,
                producer='kafka: { brokers: "127.0.0.1:1", group: g, topics: [t] }') as weir:
            weir.await_ready(False)
            running.await_that(lambda: weir.ask("/readyz")[0] == 503, "no readiness")
            for path in ("/readyz", "/api/v1/health", "/api/v1/stages"):
                self.check(OPENAPI["paths"][path]["get"],
                           weir.ask(path, Accept="application/json"), path)


if __name__ == "__main__":
    unittest.main(verbosity=2)
