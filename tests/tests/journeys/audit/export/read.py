"""Reads CSV files, given as a list of texts in JSON, and prints their rows as events."""

import csv
import io
import json
import sys

events = []
for text in json.load(sys.stdin):
    assert text.startswith("\ufeff") and "\ufeff" not in text[1:], "a byte order mark begins the file"
    rows = csv.DictReader(io.StringIO(text[1:], newline=""), strict=True)
    for row in rows:
        assert None not in row and None not in row.values(), row
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "\t", "\r")), cell
        row["seq"], row["v"] = int(row["seq"]), int(row["v"])
        row["causation"] = row["causation"] or None
        row["data"] = json.loads(row["data"])
        events.append(row)
json.dump(events, sys.stdout)
