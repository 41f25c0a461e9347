/** Tokens: signing and verifying. Without Effect and without Node, so that the edge and a browser can have it. */
export { type Principal, type TokenRefusalCode, TokenRefused } from "./Principal.ts"
export { type KeySet, type KeySetOptions, makeKeySet } from "./KeySet.ts"
export { parsePublicKey, type PublicKey } from "./publicKey.ts"
export { minSecretBytes } from "./signingSecret.ts"
export { signToken, type TokenGrant } from "./signToken.ts"
export { signWatchToken, type WatchGrant } from "./signWatchToken.ts"
export {
  type Credentials,
  makeTokenVerifier,
  maxAuthorizationChars,
  type TokenVerifier,
  type TokenVerifierOptions,
  type Verdict
} from "./TokenVerifier.ts"
