// Signs a statement with sigstore-js.
//
// Standard input: {payload, token, url, tsa}: base64 of an in-toto statement, an OIDC token, the address of Fulcio and Rekor 1, and
// the address of a timestamp authority or null. Standard output: the Sigstore bundle.

import { readFileSync } from "node:fs";
import { bundleToJSON } from "@sigstore/bundle";
import { DSSEBundleBuilder, FulcioSigner, RekorWitness, TSAWitness } from "@sigstore/sign";

const { payload, token, url, tsa } = JSON.parse(readFileSync(0));
const builder = new DSSEBundleBuilder({
  signer: new FulcioSigner({ fulcioBaseURL: url, identityProvider: { getToken: async () => token } }),
  witnesses: [
    new RekorWitness({ rekorBaseURL: url, entryType: "dsse", majorApiVersion: 1 }),
    ...(tsa ? [new TSAWitness({ tsaBaseURL: tsa })] : []),
  ],
});
const bundle = await builder.create({ data: Buffer.from(payload, "base64"), type: "application/vnd.in-toto+json" });
process.stdout.write(JSON.stringify(bundleToJSON(bundle)));
