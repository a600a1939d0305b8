"""Every command that a page shows works as it is written, in a folder in which everything that it names is there.

Where a page says what is whose in capitals (`FILE`, `VKEY`), the table says what that is here; what stands in brackets is typed as well.
"""

import glob
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from sidecar.cli.main import affidavit
from sidecar.settings import Settings, load
from tests.sigstore.loopback import IDENTITY, Sigstore

ROOT = Path(__file__).resolve().parents[2]
CORPUS = ROOT / "tests" / "corpus"
CHAT = CORPUS / "openinference-instrumentation-openai@0.1.66" / "chat.traces.otlp.pb"
LOOP = CORPUS / "pydantic-ai-slim@2.68.0" / "tools_loop.traces.otlp.pb"

BLOCK = re.compile(r"^```(?:yaml)?\n(.*?)^```$|((?:^    \S.*\n)+)", re.DOTALL | re.MULTILINE)
CELL = re.compile(r"^\| [^|]+ \| `(affidavit [^`]+)` \|", re.MULTILINE)
COMMAND = re.compile(r"^\s*(?:- run: )?affidavit (.+?)(?:\s{2,}\S.*|\s+#.*)?$", re.MULTILINE)

KEYLESS = {"SUBJECT": IDENTITY, "ID": IDENTITY, "[--token-file FILE]": "--token-file token", "1|2": "1"}
PAGES = {
    "README.md": {
        "--iterations 100": "--iterations 2",
        "RUNS": "bundles",
        "keys new --out signing.pem": "keys new --out mine.pem",
        "--out bundles": "--out sealed",
    },
    "docs/verify.md": KEYLESS,
    "docs/log.md": {
        "FOLDER": "bundles",
        "DIR": "log",
        "FILE": "log/checkpoint",
        "NEW": "growth",
        "OLD": "kept.checkpoint",
        "PUB": "signing.pem.pub",
        "B.evidence": "RUN.evidence",
    },
    "docs/policy.md": {"FOLDER": "bundles"},
    "docs/signing.md": {
        **KEYLESS,
        "BUNDLE...": "bundles/*.gz",
        "FILE|URI": "signing.pem",
        "--batch N": "--batch 2",
        "--log DIR": "--log log",
        "--trust-config FILE": "--trust-config sigstore.json",
    },
    "docs/keyless.md": KEYLESS,
    "docs/trust-roots.md": {},
    "docs/assay.md": {
        "[--attestation envelope.json --key pub.pem]": "",
        "--out RUN.evidence": "--out NEW.evidence",
        "--out bundle.tar.gz": "--out new.tar.gz",
        "--key FILE": "--key signing.pem",
    },
}
ENDS = {
    "verify bundle.tar.gz": 4,  # as the page says: nobody's word without an attestation
    "attest evidence/": 1,  # no CI job here
    "evidence diff": 1,  # they differ
}
ELSEWHERE = ("run", "trust fetch", "config check affidavit.yaml")
"""Tried by other tests: what serves, and what goes online."""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A folder with everything that a page may name."""
    folder = tmp_path_factory.mktemp("world")
    with pytest.MonkeyPatch.context() as patch, Sigstore.start() as sigstore:
        patch.chdir(folder)
        for name, data in (
            ("root.json", sigstore.trusted_root),
            ("sigstore.json", sigstore.trust_config(1)),
            ("token", sigstore.token(IDENTITY).encode()),
        ):
            Path(name).write_bytes(data)
        shutil.copy("root.json", "trusted_root.json")
        shutil.copy(CHAT, "recorded.traces.pb")
        sign = "--keyless --trust-config sigstore.json --token-file token"
        must("keys new --out auditor.pem")
        must("keys new --out signing.pem")
        must(f"seal {CHAT} --out bundles --key signing.pem --log log")
        shutil.copy("log/checkpoint", "kept.checkpoint")
        must(f"seal {LOOP} --out bundles --key signing.pem --log log")
        first, second = sorted(glob.glob("bundles/*.gz"))
        must(f"attest {first} {second} {sign}")
        Path("evidence").mkdir()
        shutil.copytree(
            ".", "affidavit-state/keys", ignore=lambda _, names: {each for each in names if "signing.pem" not in each}
        )
        for name, source in (("RUN", first), ("A", first), ("B", second), ("evidence/C", first)):
            shutil.copy(source, f"{name}.evidence.tar.gz")
            for attestation in glob.glob(source.removesuffix(".evidence.tar.gz") + "*.sigstore.json"):
                shutil.copy(attestation, name + attestation[attestation.index(".") :])
        must("evidence convert RUN.evidence.tar.gz --to assay-v1 --out bundle.tar.gz")
        Path("policy.yaml").write_text(smallest_policy())
        shutil.copy("signing.pem.pub", "sidecar.pub")
        must("verify RUN.evidence.tar.gz --key signing.pem.pub --attest-result RESULT --result-key auditor.pem")
        yield folder, sigstore


def smallest_policy():
    """The one that the page begins with, asking less: these are short recordings."""
    (text,) = re.findall(
        r"^```yaml\n(schema: .*?)^```$", (ROOT / "docs/policy.md").read_text(), re.DOTALL | re.MULTILINE
    )
    return text.replace("min: 0.6", "min: 0.2")


def typed(command):
    """Arguments as a shell would give them, and where the output goes."""
    command = re.sub(r"\$\(cat (\S+)\)", lambda found: Path(found[1]).read_text().strip(), command)
    words = [piece for word in shlex.split(command) for piece in (sorted(glob.glob(word)) if "*" in word else [word])]
    return (words[:-2], Path(words[-1])) if ">" in words else (words, None)


def run(command):
    arguments, out = typed(command)
    done = CliRunner().invoke(affidavit, arguments)
    if out is not None:
        out.write_text(done.stdout)
    return done


def must(command):
    done = run(command)
    assert done.exit_code == 0, done.output


def commands(page):
    text = (ROOT / page).read_text()
    blocks = [part for found in BLOCK.findall(text) for part in found]
    return [found for block in (*blocks, "\n".join(CELL.findall(text))) for found in COMMAND.findall(block)]


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_works(page, made, tmp_path, monkeypatch):
    world, sigstore = made
    folder = tmp_path / "work"
    shutil.copytree(world, folder)
    monkeypatch.chdir(folder)
    here = {**PAGES[page], "URL": sigstore.url, "VKEY": Path("log.vkey").read_text().strip()}
    here["--timestamp-url URL"] = f"--timestamp-url {sigstore.tsa_url}"
    wrong = []
    for shown in commands(page):
        if shown.startswith(ELSEWHERE):
            continue
        command = shown
        for said in sorted(here, key=len, reverse=True):
            command = re.sub(rf"(?<![A-Z]){re.escape(said)}(?![A-Z])", lambda _, said=said: here[said], command)
        done = run(command.replace("[", "").replace("]", ""))
        expected = next((code for start, code in ENDS.items() if shown.startswith(start)), 0)
        if done.exit_code != expected or isinstance(done.exception, Exception):
            wrong.append((shown, done.exit_code, done.output[-600:], done.exception))
    assert wrong == []


# ------------------------------------------------------------------ configurations

SETTINGS = re.compile(r"^```yaml\n((?:\w+:.*\n(?: .*\n)*)+)```$", re.MULTILINE)


def test_every_configuration_that_a_page_shows_is_understood(tmp_path):
    pages = [*ROOT.glob("docs/*.md"), ROOT / "README.md"]
    blocks = [(page.name, text) for page in pages for text in SETTINGS.findall(page.read_text())]
    shown = [(page, text) for page, text in blocks if text.partition(":")[0] in Settings.model_fields]
    assert len(shown) >= 5
    for number, (page, text) in enumerate(shown):
        file = tmp_path / f"{number}-{page}.yaml"
        file.write_text(text)
        load(file, {})  # says the file and what is wrong in it


# ------------------------------------------------------------------ and of all pages, that what they name is there

NAMED = re.compile(r"affidavit ((?:[a-z][a-z-]+ )*[a-z][a-z-]+[^`\n]*)")


def unknown(said):
    """What in a command is no verb or option of ours; None when all is."""
    words = [word.rstrip("`,.:;)") for word in re.split(r"\s#|\s{2,}|;| > |\| ", said)[0].split()]
    command: click.Command = affidavit
    path = []
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        if found is None:
            return (
                f"{' '.join([*path, words[0]])}" if path and "|" not in words[0] else None
            )  # prose begins with any word
        path.append(words.pop(0))
        command = found
    known = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)}
    named = re.findall(r"--[a-z][a-z-]*", " ".join(words)) if path else []
    return next((f"{' '.join(path)} {name}" for name in named if name not in known | {"--help"}), None)


def test_every_verb_and_option_that_any_page_names_is_there():
    pages = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("*.md"), *ROOT.glob("config/*.yaml")]
    found = [(page.name, said) for page in pages for said in NAMED.findall(page.read_text())]
    assert len(found) > 150
    assert [(page, wrong) for page, said in found if (wrong := unknown(said))] == []
