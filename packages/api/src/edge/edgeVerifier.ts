import { makeKeySet, makeTokenVerifier, type TokenVerifier } from "../tokens/index.ts"
import { edgeLogLine } from "./edgeLogLine.ts"
import type { EdgeSettings } from "./EdgeSettings.ts"

/** The verifier that an environment asks for. Lines of the log tell when the address of the keys cannot be read. */
export const edgeVerifier = (
  settings: Pick<EdgeSettings, "secrets" | "publicKeys" | "jwksUrl" | "audience">,
  log: (lines: string) => void,
  fetchKeys?: typeof fetch
): TokenVerifier => {
  const { audience, jwksUrl, publicKeys, secrets } = settings
  return makeTokenVerifier({
    secrets,
    publicKeys,
    ...(audience === undefined ? {} : { audience }),
    ...(jwksUrl === undefined ? {} : {
      keySet: makeKeySet({
        url: jwksUrl,
        ...(fetchKeys === undefined ? {} : { fetch: fetchKeys }),
        onFault: (cause) => log(edgeLogLine({ time: Date.now(), level: "WARN", message: "the keys could not be read", cause }))
      })
    })
  })
}
