"""A whole Sigstore on 127.0.0.1: OIDC issuer, Fulcio, Rekor 1 and 2, timestamp authorities, and the config that joins them.

Real cryptography, real Merkle proofs, real HTTP; made for tests, and for nothing else.

    with Sigstore.start() as sigstore:
        attestation = sigstore.sign(payload, identity="https://ci.example/release", version=2)
        sigstore.trusted_root, sigstore.requests

Law: every time in what it makes comes from `clock`, moved by `skew` for one service; the client that signs over HTTP
looks at the wall clock all the same, so another clock is for `forge` and for faults.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.sigstore import trust_config
from tests.sigstore.fulcio import Fulcio
from tests.sigstore.oidc import OidcIssuer
from tests.sigstore.pki import BACKDATED, Clock
from tests.sigstore.rekor import RekorV1, RekorV2
from tests.sigstore.server import Fault, Faults, Server, Service
from tests.sigstore.trust_config import Window
from tests.sigstore.tsa import TimestampAuthority

__all__ = ["IDENTITY", "Fault", "Sigstore", "wall"]

IDENTITY = "https://ci.example/acme/agents/.github/workflows/release.yml@refs/heads/main"
"""Who signs when a test does not care."""


def wall() -> datetime:
    return datetime.now(UTC)


class Sigstore:
    """See the module. Attributes are the services; change what they do before you use them."""

    def __init__(self, clock: Clock, *, issuers: Iterable[str] = ()) -> None:
        self.clock = clock
        self.skew: dict[Service, timedelta] = {}
        """How far a service's clock is off."""
        self.start_time = (clock() - BACKDATED).replace(microsecond=0)
        """From when on its authorities and logs are valid."""
        self.server = Server()
        self.url = self.server.url
        self.oidc = OidcIssuer(self.url, self._skewed("oidc"), tuple(issuers))
        self.fulcio = Fulcio(self._skewed("fulcio"), self.start_time, self.oidc)
        self.rekor1, self.rekor2 = RekorV1(self._skewed("rekor")), RekorV2()
        self.tsas: dict[str, TimestampAuthority] = {}
        """Timestamp authorities by name; the first is called `tsa`."""
        self._trusted_tsas: list[str] = []
        self.server.routes.update(
            {
                ("GET", "/.well-known/openid-configuration"): ("oidc", self.oidc.configuration),
                ("POST", "/api/v2/signingCert"): ("fulcio", self.fulcio.signing_cert),
                ("POST", "/api/v1/log/entries"): ("rekor", self.rekor1.post),
                ("POST", "/api/v2/log/entries"): ("rekor", self.rekor2.post),
            }
        )
        self.add_tsa("tsa")

    @classmethod
    @contextmanager
    def start(cls, clock: Clock = wall, *, issuers: Iterable[str] = ()) -> "Iterator[Sigstore]":
        """Serve until the block ends. `issuers` are further OIDC issuers whose tokens Fulcio takes."""
        sigstore = cls(clock, issuers=issuers)
        try:
            yield sigstore
        finally:
            sigstore.server.close()

    def reset(self) -> None:
        """As it was when it started, but for what its logs hold."""
        self.faults.clear()
        self.requests.clear()
        self.skew.clear()
        self.fulcio.sct, self.fulcio.lifetime = "good", timedelta(minutes=10)
        for name in [name for name in self.tsas if name != "tsa"]:
            del self.tsas[name], self.server.routes["POST", f"/{name}/timestamp"]
        self._trusted_tsas = ["tsa"]
        self.rekor1.log.witnesses.clear()
        self.rekor2.log.witnesses.clear()

    @property
    def faults(self) -> Faults:
        return self.server.faults

    @property
    def requests(self) -> list[tuple[str, str]]:
        """(method, path) of every request since the start or the last `reset`."""
        return self.server.requests

    @property
    def tsa_url(self) -> str:
        return self.tsa_url_of("tsa")

    def tsa_url_of(self, name: str) -> str:
        return f"{self.url}/{name}/timestamp"

    def add_tsa(self, name: str, *, trusted: bool = True, not_after: datetime | None = None) -> TimestampAuthority:
        """One more timestamp authority, in the trusted root or not; `not_after` ends its certificate."""
        tsa = TimestampAuthority(self._skewed("tsa"), self.start_time, common=name, not_after=not_after)
        self.tsas[name] = tsa
        self.server.routes["POST", f"/{name}/timestamp"] = ("tsa", tsa.post)
        if trusted:
            self._trusted_tsas.append(name)
        return tsa

    def token(self, identity: str = IDENTITY, **options: Any) -> str:
        """An OIDC token; see `OidcIssuer.token` for what may be wrong with it."""
        return self.oidc.token(identity, **options)

    @property
    def trusted_root(self) -> bytes:
        """The trusted root file: every service, valid from a day before the start, with no end."""
        return self.root()

    def root(self, *, windows: Mapping[str, Window] | None = None, without: Collection[str] = ()) -> bytes:
        """A trusted root with other windows, or without some entries.

        Args:
            windows: start and end by entry: `rekor1`, `rekor2`, `fulcio`, `ctlog`, or the name of a TSA.
            without: entries left out.
        """
        windows = windows or {}
        unknown = {*windows, *without} - {"rekor1", "rekor2", "fulcio", "ctlog", *self.tsas}
        assert not unknown, unknown

        def valid(name: str) -> Window:
            return windows.get(name, (self.start_time, None))

        fulcio, ct_key = self.fulcio, self.fulcio.ct_log.key.public_key()
        parts = {
            "tlogs": {
                name: trust_config.log(f"https://{log.signer_name}", log.key.public_key(), log.key_id, valid(name))
                for name, log in (("rekor1", self.rekor1.log), ("rekor2", self.rekor2.log))
            },
            "certificateAuthorities": {
                "fulcio": trust_config.authority(self.url, (fulcio.intermediate, fulcio.root), valid("fulcio"))
            },
            "ctlogs": {"ctlog": trust_config.log(self.url, ct_key, fulcio.ct_log.log_id, valid("ctlog"))},
            "timestampAuthorities": {
                name: trust_config.authority(
                    self.tsa_url_of(name), (self.tsas[name].leaf, self.tsas[name].root), valid(name)
                )
                for name in self._trusted_tsas
            },
        }
        kept = {part: [item for name, item in items.items() if name not in without] for part, items in parts.items()}
        return trust_config.trusted_root(kept)

    def trust_config(self, version: int = 1, timestamps: bool | Collection[str] = True) -> bytes:
        """A client trust config that signs to Rekor `version`, with the time of all, some or no timestamp authorities."""
        names = timestamps if not isinstance(timestamps, bool) else self._trusted_tsas if timestamps else ()
        return trust_config.client_trust_config(
            self.trusted_root,
            url=self.url,
            rekor_version=version,
            tsa_urls=[self.tsa_url_of(name) for name in names],
            start=self.start_time,
        )

    def sign(self, payload: bytes, **how: Any) -> bytes:
        """As `sign_as_it_is`, in our canonical form."""
        return canonical_bundle(self.sign_as_it_is(payload, **how))

    def sign_as_it_is(
        self,
        payload: bytes,
        *,
        identity: str = IDENTITY,
        version: int = 1,
        timestamp: bool | Collection[str] = True,
        token: str | None = None,
    ) -> str:
        """An attestation over an in-toto statement, made by sigstore-python over HTTP, in the text that it writes."""
        from sigstore.dsse import Statement
        from sigstore.models import ClientTrustConfig
        from sigstore.oidc import IdentityToken
        from sigstore.sign import SigningContext

        config = ClientTrustConfig.from_json(self.trust_config(version, timestamp).decode())
        with SigningContext.from_trust_config(config).signer(IdentityToken(token or self.token(identity))) as signer:
            return signer.sign_dsse(Statement(payload)).to_json()

    def _skewed(self, service: Service) -> Clock:
        return lambda: self.clock() + self.skew.get(service, timedelta())


def canonical_bundle(text: str) -> bytes:
    """The client's JSON as an attestation file: canonical, and without a list of timestamps when there is none."""
    import json

    from evidence.canonical import canonical

    bundle = json.loads(text)
    material = bundle["verificationMaterial"]
    if not material.get("timestampVerificationData", {}).get("rfc3161Timestamps", True):
        del material["timestampVerificationData"]
    return canonical(bundle)
