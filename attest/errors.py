"""What can go wrong in this room, one class per fault.

The type says whose fault it is, and with that how a verifier answers: an `InvalidError` is a verdict against the file,
an `UnsupportedError` says that this version cannot judge it (a newer format, or material it has no rule for), and a
`KeyFileError` or `SigningError` is about the caller's own keys and never about the evidence.
"""


class AttestError(Exception):
    """Root of every error this room raises on purpose."""


class InvalidError(AttestError):
    """What was read breaks a rule of its format: tampered with, damaged, or made by a faulty producer."""


class UnsupportedError(AttestError):
    """What was read may be sound, but not in a form that this version knows: no verdict either way."""


class StatementError(AttestError):
    """The caller asked for a statement that cannot be made (no bundle, two of one name, too many)."""


class KeyFileError(AttestError):
    """A key could not be read, made or saved; names the file and what was expected, never key material."""


class PolicyError(AttestError):
    """An auditor's policy cannot be used; names file and line, what was expected and what was found."""


class DisclosedFileError(AttestError):
    """A file of disclosures that the caller named is none: nothing is said about the bundle."""


class FolderError(AttestError):
    """A folder that the caller named cannot be looked through, or holds nothing to verify: nothing is said about any bundle."""


class SigningError(AttestError):
    """The signer gave no signature, or none that its own public key accepts. Trying again at once will not help."""


class SignerUnavailableError(SigningError):
    """The signer, its log or its timestamp authority did not answer, or could not now (network, 429, 5xx, deadline): it may pass."""


class LogError(AttestError):
    """A log of ours cannot be continued or proven from: damaged, rolled back, of another key, or in use."""


class WitnessError(AttestError):
    """Too few witnesses cosigned a checkpoint, or one has seen another history of the log."""


class FetchError(AttestError):
    """A trusted root could not be fetched: no network, no such repository, or one that does not follow from its root."""
