#!/usr/bin/env python3
"""Holds documents against docs/rules.schema.json: those whose names begin with bad_ are refused, all
others taken. rules_schema_test.cc has the parser judge the same ones."""
import json
import pathlib
import sys

import jsonschema

# What no schema can say: repeated keys, RE2's syntax, names that differ, ends that are in order.
BEYOND_A_SCHEMA = {"bad_twice.json", "bad_regex.json", "bad_names.json", "bad_range.json"}

project = pathlib.Path(sys.argv[1])
schema = json.loads((project / "docs/rules.schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)


def complaint(path):
    """What is wrong with the document; None: nothing."""
    try:
        errors = list(validator.iter_errors(json.loads(path.read_text())))
    except json.JSONDecodeError as error:
        return str(error)
    return errors[0].message if errors else None


failures = 0
for folder in ("fuzz/rules/corpus", "docs/examples/rules"):
    for path in sorted((project / folder).iterdir()):
        bad = path.name.startswith("bad_") and path.name not in BEYOND_A_SCHEMA
        why = complaint(path)
        if bad != (why is not None):
            failures += 1
            print(f"{path}: {why or 'is taken'}")
sys.exit(failures > 0)
