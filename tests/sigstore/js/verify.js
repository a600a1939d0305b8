// Judges attestations with sigstore-js.
//
// Standard input: a JSON array of {bundle, root, keys, timestamps, logs}: a Sigstore bundle, a trusted root, public keys (base64 of
// the DER SubjectPublicKeyInfo) by hint, and how many verified times and log entries it takes.
// Standard output: a JSON array, `null` for each that is good and the reason for each that is not.

import { readFileSync } from "node:fs";
import { bundleFromJSON } from "@sigstore/bundle";
import { TrustedRoot } from "@sigstore/protobuf-specs";
import { Verifier, toSignedEntity, toTrustMaterial } from "@sigstore/verify";

function judge({ bundle, root, keys, timestamps, logs }) {
  const known = Object.entries(keys).map(([hint, key]) => [hint, { rawBytes: Buffer.from(key, "base64") }]);
  const trust = toTrustMaterial(TrustedRoot.fromJSON(root), Object.fromEntries(known));
  const thresholds = { timestampThreshold: timestamps, tlogThreshold: logs, ctlogThreshold: logs };
  new Verifier(trust, thresholds).verify(toSignedEntity(bundleFromJSON(bundle)));
}

function outcome(one) {
  try {
    judge(one);
    return null;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}

process.stdout.write(JSON.stringify(JSON.parse(readFileSync(0)).map(outcome)));
