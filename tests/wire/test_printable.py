"""What others wrote reaches a terminal, a log and a page as text, and a machine as it was."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from seamwatch.printable import Printed, on_one_line, printable

ODD = "a\x1b[2J\x07\x9b\u202e\ud83d\x00\r\u2028b"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@given(st.text(st.characters(codec=None, exclude_categories=())))
def test_what_is_printable_stays_and_all_else_is_an_escape_that_json_reads_as_the_character(text: str) -> None:
    shown = printable(text)
    shown.encode()
    assert all(character.isprintable() or character in "\n\t" or ord(character) >= 0xA0 for character in shown)
    assert printable(shown) == shown
    said = json.dumps({"x": text}, ensure_ascii=False)
    assert json.loads(printable(said)) == json.loads(json.dumps({"x": text}))


def test_a_line_of_a_page_stays_one_line() -> None:
    assert on_one_line("scorer\nAcknowledged by x\x1b") == "scorer Acknowledged by x\\u001b"


def test_styles_of_ours_pass_to_a_terminal_and_nothing_that_moves_or_hides() -> None:
    terminal, file = Terminal(), io.StringIO()
    for stream in (terminal, file):
        print(f"\x1b[1mbold\x1b[0m \x1b[8mhidden {ODD}", file=Printed(stream))
    odd = "a\\u001b[2J\\u0007\\u009b\\u202e\\ud83d\\u0000\\u000d\\u2028b\n"
    assert terminal.getvalue() == f"\x1b[1mbold\x1b[0m \\u001b[8mhidden {odd}"
    assert file.getvalue() == f"\\u001b[1mbold\\u001b[0m \\u001b[8mhidden {odd}"


def test_a_command_that_is_given_such_text_says_it_in_escapes(tmp_path: Path) -> None:
    path = tmp_path / "events.ndjson"
    path.write_text(json.dumps({"type": "tool_call", ODD: 1}) + "\n{\x1b[31m\x9b\n", "utf-8")
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "one.yaml").write_text(
        "apiVersion: seamwatch/v1\nkind: Person\nid: owner@example.org\nname: Owner\n"
    )
    command = [sys.executable, "-m", "console.app", "replay", "--contracts", str(tmp_path / "contracts"), str(path)]
    done = subprocess.run(command, capture_output=True, check=False, env={**os.environ, "PYTHONUTF8": "1"})
    assert done.returncode == 1, done.stderr
    said = done.stderr.decode()
    assert f"{path}:1: " in said
    assert f"{path}:2: " in said
    assert printable(said) == said
    assert "\x1b" not in said
