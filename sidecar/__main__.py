"""`python -m sidecar` and the command `affidavit`."""

from sidecar.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
