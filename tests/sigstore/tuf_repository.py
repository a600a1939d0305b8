"""A TUF repository on the loopback's server: what publishes trusted roots.

Specification: https://theupdateframework.github.io/specification/latest/ (consistent snapshots).
"""

from datetime import UTC, datetime, timedelta

from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp
from tuf.api.serialization.json import JSONSerializer

from tests.sigstore.server import Reply, Request, Server

ROLES = ("root", "timestamp", "snapshot", "targets")


class TufRepository:
    """Serves `targets`; call `publish` after any change. Attributes are its state, to be made wrong."""

    def __init__(self, server: Server, targets: dict[str, bytes]) -> None:
        self._server = server
        self.url = f"{server.url}/tuf"
        self.targets = targets
        self.expires = datetime.now(UTC).replace(microsecond=0) + timedelta(days=7)
        self.signers = {role: CryptoSigner.generate_ecdsa() for role in ROLES}
        self.keys = dict(self.signers)
        """Whose keys the root names for each role; `signers` may be made others."""
        self.files: dict[str, bytes] = {}
        """By path under the URL, as served."""
        self._root_version = 0
        self._version = 0
        server.routes["GET", "/tuf/*"] = ("tuf", self._get)
        self.rotate()
        self.initial_root = self.files["1.root.json"]
        self.publish()

    def rotate(self, signer: CryptoSigner | None = None) -> None:
        """The next version of the root, with a new root key when one is given, signed by the old and the new."""
        old = self.signers["root"]
        if signer:
            self.signers["root"] = self.keys["root"] = signer
        self._root_version += 1
        root = Root(version=self._root_version, expires=datetime.now(UTC).replace(microsecond=0) + timedelta(days=365))
        for role in ROLES:
            root.add_key(self.keys[role].public_key, role)
        self._put(f"{self._root_version}.root.json", root, old, self.signers["root"])

    def publish(self) -> None:
        """Sign and serve the targets as they are."""
        self._version += 1
        version, expires = self._version, self.expires
        files = {name: TargetFile.from_data(name, data, ["sha256"]) for name, data in self.targets.items()}
        self._put(f"{version}.targets.json", Targets(version, None, expires, files), self.signers["targets"])
        named = {"targets.json": MetaFile(version)}
        self._put(f"{version}.snapshot.json", Snapshot(version, None, expires, named), self.signers["snapshot"])
        self._put("timestamp.json", Timestamp(version, None, expires, MetaFile(version)), self.signers["timestamp"])
        for name, data in self.targets.items():
            self.files[f"targets/{files[name].hashes['sha256']}.{name}"] = data

    def _put(self, path: str, signed: Root | Timestamp | Snapshot | Targets, *signers: CryptoSigner) -> None:
        metadata = Metadata(signed)
        for signer in signers:
            metadata.sign(signer, append=True)
        self.files[path] = metadata.to_bytes(JSONSerializer())

    def _get(self, request: Request) -> Reply:
        found = self.files.get(request.path.removeprefix("/tuf/"))
        return Reply(status=404) if found is None else Reply(body=found)
