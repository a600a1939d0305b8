"""How this sidecar names itself to a backend (OTLP exporter specification, "User Agent")."""

from importlib.metadata import PackageNotFoundError, version


def user_agent() -> str:
    """`affidavit/VERSION`; without the version when running from a tree that was never installed."""
    try:
        return f"affidavit/{version('affidavit')}"
    except PackageNotFoundError:
        return "affidavit"
