import { type BatchEvidence, BatchEvidenceAws } from "@lectern/worker-video/doctor"
import type { Layer } from "effect"

/** Looks at AWS as the environment says: region, credentials and endpoint are found by the SDK itself. */
export const batchEvidence = (variables: Readonly<Record<string, string | undefined>>): Layer.Layer<BatchEvidence> => {
  // The `aws` program knows this name as well; the SDK does not.
  const region = variables["AWS_REGION"] || variables["AWS_DEFAULT_REGION"]
  return BatchEvidenceAws.layer(region === undefined || region === "" ? {} : { region })
}
