"""The TLS side of a backend: its files, read once, at start.

Law: a file that is missing, is not PEM, or a key that does not fit its certificate is a `ConfigError` at start and not a
retry for ever.
"""

import ssl

from sidecar.errors import ConfigError
from sidecar.exporter.backend import Backend


def tls_context(backend: Backend) -> ssl.SSLContext:
    """A verifying client context, with the backend's CAs and our own certificate when they are set.

    Raises:
        ConfigError: Naming the key of the file that cannot be used.
    """
    try:
        context = ssl.create_default_context(cafile=backend.ca_file)
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"exporters.{backend.name}.tls.ca_file: got {str(backend.ca_file)!r} ({error}), expected certificates in PEM"
        ) from error
    if backend.cert_file is not None:
        try:
            # An encrypted key would have OpenSSL ask the terminal; an empty password makes it an error instead.
            context.load_cert_chain(backend.cert_file, backend.key_file, password="")
        except (OSError, ssl.SSLError) as error:
            raise ConfigError(
                f"exporters.{backend.name}.tls.cert_file: got {str(backend.cert_file)!r} with "
                f"{str(backend.key_file)!r} ({error}), expected a certificate chain and its unencrypted key, both in PEM"
            ) from error
    return context
