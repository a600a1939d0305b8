"""docs/threat-model.md: who may lie, what each check proves against them, and what nothing proves. Made from the table of threats."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from attest.threats import INTACT, LIARS, Defence, Liar
from attest.verdict import CHECKS
from tests.tools import markdown

HEAD = """\
# Threat model

For a security engineer. Made from the table in `attest/threats.py` by `make proto`; not to be edited. The second line of a verdict takes
its sentences from the same table, so that what a verdict says is what stands here. Every test that is named exists: a test sees to it.

## What is trusted, and what is not

Trusted: the auditor's own machine and what is given on it (keys, roots, identities, logs, witnesses, a policy); SHA-256, P-256, Ed25519;
and, as far as the auditor names them, certificate authorities, transparency logs and timestamp authorities, each inside its window.
Nothing is trusted by default, and nothing because a bundle or an attestation says so: a key hint, a certificate, a log's name in the file
find what the auditor trusts, or nothing.

Not trusted: everything else. Any of the following may be the liar, and may be several of them at once; a row holds against each of them
that has not also got the means of what it relies on. An operator who is also the thief of a second signer's key gets past the row about a
second signer.

A verdict is about one bundle and its attestations. It says that bytes are what a signer vouched for, by when, and that what is derived
from them follows. It never says that what the bytes tell is true.

## Which line proves something against whom

A mark says that the line is among the grounds of a defence; the sections below say of which. A line that was skipped proves nothing.
"""

TAIL = """\
## What is not attempted

- **The truth of telemetry.** No signature turns a claim into a fact. An agent and an operator who agree on a story get a verified bundle
  of it.
- **Confidentiality.** A bundle is not encrypted. What is withheld from it is committed to with a salt ([redaction](redaction.md)); who
  signs without a certificate of a public authority publishes nothing.
- **Availability.** Whoever holds the only copy can delete it. The log says that it was there.
- **Side channels of a verifier.** A verdict is not secret, and takes as long as it takes.
- **Broken cryptography.** A forged SHA-256 or a computed key undoes all of this. Bundles say which algorithms were used; there is one of
  each kind and no negotiation, so that nobody can choose the weakest.
- **Time before the first proof.** A timestamp or log entry says *not later than*. How much earlier something was made, only somebody who
  was there can tell; `delay_seconds_max` in a policy bounds it against the sidecar's own clock.

## If something goes wrong

| what | then |
|---|---|
| a key was stolen | `revoked_at` in the policy, with the earliest time it may have been used; without a proven time nothing by it counts |
| a login was stolen | take the identity out of `identities` or narrow it; look in the transparency log for entries that nobody remembers |
| a log or authority was compromised | close its window in the trusted root (`validFor.end`); what it proved before stands |
| a checkpoint does not extend an older one | keep both: together they are the proof; trust nothing after the older |
| a verifier was fooled | tell us, with the files: every such bundle becomes a test |
"""

GROUNDS = {
    "intact": "the file and its signature hold",
    "key": "signed with a key",
    "certificate": "signed with a certificate",
    "counted": "the agent gave its own counts",
    "second-clock": "two told the time",
    "second-signer": "two signed",
    "witnessed": "a trusted witness cosigned",
}


def threat_model() -> str:
    """The whole document."""
    lines = [HEAD, *_matrix(), *(line for liar in LIARS for line in _liar(liar)), TAIL]
    return "\n".join(lines).rstrip() + "\n"


def _matrix() -> Iterator[str]:
    grounds = {liar.id: {ground for row in liar.defences for ground in _lines(row)} for liar in LIARS}
    yield from markdown.table(
        ["line", *(liar.id for liar in LIARS)],
        ([f"`{check}`", *("x" if check in grounds[liar.id] else "" for liar in LIARS)] for check in CHECKS),
    )


def _lines(row: Defence) -> Iterator[str]:
    for ground in row.grounds:
        yield from INTACT if ground == "intact" else (ground,)


def _liar(liar: Liar) -> Iterator[str]:
    yield f"## {liar.who}"
    yield ""
    yield from _wrapped(f"`{liar.id}`. May {liar.may}.")
    yield ""
    for row in liar.defences:
        yield from _wrapped(f"- **{_title(row)}** {_said(row)}{row.how}", "  ")
        yield from (f"  - `{test}`" for test in row.tests)
    yield ""
    if liar.never:
        yield from _wrapped(f"**Never shown:** {liar.never}.")
        yield ""
    yield from _wrapped(f"**What is left.** {liar.left}")
    yield ""


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(text, 140, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)


def _title(row: Defence) -> str:
    return f"When {' and '.join(GROUNDS.get(ground, f'`{ground}` passed') for ground in row.grounds)}:"


def _said(row: Defence) -> str:
    shown = f"{row.shown}. " if row.shown else ""
    return f"{shown}Otherwise not shown: {row.open}. " if row.open else shown
