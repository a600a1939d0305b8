// Signs a statement with sigstore-js.
//
// Standard input: {payload, token, url, key, hint, tsa}: base64 of an in-toto statement; an OIDC token and the address of Fulcio and
// Rekor 1, or a private key in PEM and its hint; the address of a timestamp authority or null. Standard output: the Sigstore bundle.

import { createPublicKey, sign } from "node:crypto";
import { readFileSync } from "node:fs";
import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder, FulcioSigner, RekorWitness, TSAWitness } from "@sigstore/sign";

const { payload, token, url, key, hint, tsa } = JSON.parse(readFileSync(0));

class KeySigner {
  async sign(data) {
    const publicKey = createPublicKey(key).export({ type: "spki", format: "pem" });
    return { signature: sign("sha256", data, key), key: { $case: "publicKey", publicKey, hint } };
  }
}

const builder = new DSSEBundleBuilder({
  signer: key
    ? new KeySigner()
    : new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: async () => token } }),
  witnesses: [
    ...(key ? [] : [new RekorWitness({ rekorBaseURL: url, entryType: "dsse", majorApiVersion: 1 })]),
    ...(tsa ? [new TSAWitness({ tsaBaseURL: tsa })] : []),
  ],
});
const bundle = await builder.create({ data: Buffer.from(payload, "base64"), type: "application/vnd.in-toto+json" });
process.stdout.write(JSON.stringify(bundleToJSON(bundle), null, 2));
