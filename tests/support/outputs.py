"""What tests were told by the programs that they ran, kept for a last look.

No output of any test may have a secret in it (G10): `keep()` puts one aside in
the folder $WEIR_TEST_OUTPUTS, and the test `outputs_hold_no_secret`, which runs
when all others ended, reads them all, and what CTest recorded of each test.

Every password of a test is one of these, or has one in it.
"""
import glob
import os
import sys
import tempfile

SECRETS = ("planted-secret", "alice-secret", "bob-secret", "eve-secret",
           "guest:guest")


def found_in(text):
    return [secret for secret in SECRETS if secret in text]


def keep(name, text):
    folder = os.environ.get("WEIR_TEST_OUTPUTS")
    if not folder or not text:
        return
    os.makedirs(folder, exist_ok=True)
    handle, _ = tempfile.mkstemp(prefix=f"{name}.", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8", errors="replace") as file:
        file.write(text)


def findings(files):
    for path in files:
        with open(path, encoding="utf-8", errors="replace") as file:
            for number, line in enumerate(file, 1):
                for secret in found_in(line):
                    yield f"{path}:{number}: has {secret}"


def main():
    """Looks at all that was kept, once; keeps on what has a secret."""
    folder, *records = sys.argv[1:]
    kept = [path for path in glob.glob(f"{folder}/*") if os.path.isfile(path)]
    records = [path for path in records if os.path.isfile(path)]
    found = list(findings(records))
    for path in kept:
        aside = f"{folder}/found/{os.path.basename(path)}"
        os.makedirs(os.path.dirname(aside), exist_ok=True)
        os.rename(path, aside)
        here = list(findings([aside]))
        found += here
        if not here:
            os.remove(aside)
    print("\n".join(found) or
          f"{len(kept)} outputs and {len(records)} records have no secret")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
