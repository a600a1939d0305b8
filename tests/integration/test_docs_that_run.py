"""Pages that show something from start to end: their files are written, their commands run, and what they say is what the page says.

A block of code with a file's name behind its language is that file from there on; a `console` block is commands and their
output, in which `…` stands for any text within a line. To write down what they say now: REWRITE_DOCS=1.
"""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from semconv.lint.finding import CODES
from sidecar.cli.main import affidavit
from tests.tools.process import PATIENCE_SECONDS

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "profiles.md"
PAGES = (PAGE, ROOT / "docs" / "packs.md", ROOT / "docs" / "lint.md", ROOT / "docs" / "soak.md")
BLOCK = re.compile(r"^```(\w+)(?: (\S+))?\n(.*?)^```$", re.DOTALL | re.MULTILINE)

ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "COLUMNS": "100",
    "OTEL_EXPORTER_OTLP_TIMEOUT": str(PATIENCE_SECONDS),
    "AFFIDAVIT_RECEIVER__GRPC__ENDPOINT": "127.0.0.1:0",
    "AFFIDAVIT_RECEIVER__HTTP__ENDPOINT": "127.0.0.1:0",
}
SHELL = re.compile(r"[;|&<>]")
VERSION = re.compile(r"(?<=gen-ai-dev )\S+(?=[:;])")


def commands(block):
    """Pairs of a command and the output that the page gives for it."""
    parts = re.split(r"^\$ (.*)\n", block, flags=re.MULTILINE)
    assert parts[0] == "", "a console block begins with a command"
    return list(zip(parts[1::2], parts[2::2], strict=True))


def as_pattern(text):
    return ".*".join(re.escape(part) for part in text.split("…"))


@pytest.fixture
def shell(tmp_path, monkeypatch):
    """Runs a command in an empty folder: a plain `affidavit …` in this process, anything else by the shell."""
    tools, folder = tmp_path / "bin", tmp_path / "work"
    tools.mkdir()
    folder.mkdir()
    for name, arguments in (("affidavit", "-m sidecar"), ("python", "")):
        (tools / name).write_text(f'#!/bin/sh\nPYTHONPATH="{ROOT}" exec "{sys.executable}" {arguments} "$@"\n')
        (tools / name).chmod(0o755)
    for name in [name for name in os.environ if name.startswith(("AFFIDAVIT_", "OTEL_"))]:
        monkeypatch.delenv(name)
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("PATH", f"{tools}:{os.environ['PATH']}")
    monkeypatch.chdir(folder)

    def run(command):
        if not SHELL.search(command) and command.startswith("affidavit "):
            return CliRunner().invoke(affidavit, shlex.split(command)[1:], catch_exceptions=False).output
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=2 * PATIENCE_SECONDS,
        )
        return done.stdout

    run.folder = folder
    return run


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_every_command_of_the_page_says_what_the_page_says(shell, file):
    page = file.read_text()
    wrong = []
    for language, name, text in BLOCK.findall(page):
        if name:
            written = shell.folder / name
            written.parent.mkdir(exist_ok=True)
            written.write_text(text)
        if language == "console":
            for command, expected in commands(text):
                said = shell(command)
                if not re.fullmatch(as_pattern(expected), said):
                    wrong.append((command, expected, said))
                    page = page.replace(f"$ {command}\n{expected}", f"$ {command}\n{VERSION.sub('…', said)}")
    if wrong and os.environ.get("REWRITE_DOCS"):
        file.write_text(page)
    assert wrong == []


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.stem)
def test_every_block_of_the_page_is_a_file_or_commands(file):
    blocks = BLOCK.findall(file.read_text())
    assert all(name or language == "console" for language, name, _ in blocks)
    assert file.read_text().count("```") == 2 * len(blocks)


def test_the_page_lists_every_code_of_lint_with_what_it_means():
    rows = re.findall(r"^\| `([a-z-]+)` \| (error|warning) \| (.*) \|$", PAGE.read_text(), flags=re.MULTILINE)
    assert {code: (severity, means) for code, severity, means in rows} == dict(CODES)
