#!/usr/bin/env python3
"""failures.py outputs|names LOG: the failed tests of a run, read from the log that .ci/run keeps.

`outputs` prints the end of each failed test's own output, and the end of each step that failed by something else: lints, a
build, or tests that ran out of time. `names` prints one line per failure. The end of a test's output has the panic, and of
a property the smallest case that fails. Lines of backtraces are left out.
"""
import itertools
import re
import sys

TESTS_MAX = 10  # whose output is printed
LINES_MAX = 60  # of each output
CHARS_MAX = 500  # of each line

BEGIN = re.compile(r"@@@ (.+)")
END = re.compile(r"(?:ok|FAILED) +\d+ s +\d+ s CPU  (.+)")
FAILED = re.compile(r"test (.+?)(?: - should panic)? \.\.\. FAILED$")
OUTPUT = re.compile(r"---- (.+) stdout ----$")
END_OF_OUTPUT = re.compile(r"(?:successes|failures):$|test result: ")
FRAME = re.compile(r"stack backtrace:$|\s+\d+: |\s+at \S+:\d+|note: Some details are omitted")


class Step:
    def __init__(self, heading):
        self.heading, self.lines, self.outputs = heading, [], {}


def read(path):
    """The steps of a log that failed."""
    step = Step("")
    output = None
    with open(path, errors="replace") as log:
        for line in map(str.rstrip, log):
            if begin := BEGIN.fullmatch(line):
                step, output = Step(begin[1]), None
                continue
            if (end := END.fullmatch(line)) and end[1] == step.heading:
                if line.startswith("FAILED"):
                    yield step
            elif failed := FAILED.fullmatch(line):
                step.outputs.setdefault(failed[1], [])
            elif block := OUTPUT.fullmatch(line):
                output = step.outputs.get(block[1])
            elif END_OF_OUTPUT.match(line):
                output = None
            elif output is not None and line and not FRAME.match(line):
                output.append(line)
            step.lines.append(line)


def show(title, lines):
    print(f"\n=== {title}")
    if (left_out := len(lines) - LINES_MAX) > 0:
        print(f"... {left_out} lines before")
    for line in lines[-LINES_MAX:]:
        print(line if len(line) <= CHARS_MAX else f"{line[:CHARS_MAX]}... ({len(line)} characters)")


def failures(log):
    """A title and an output for each failure."""
    for step in read(log):
        for name, output in step.outputs.items():
            yield f"{name} ({step.heading})", output
        # A test binary that is stopped prints no outputs of its failed tests.
        if not step.outputs or not all(step.outputs.values()):
            yield f"end of the step: {step.heading}", step.lines


what, log = sys.argv[1:]
if what == "outputs":
    for title, lines in itertools.islice(failures(log), TESTS_MAX):
        show(title, lines)
else:
    for title, _ in failures(log):
        print(f"FAILED {title}")
