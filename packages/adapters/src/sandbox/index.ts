/** Messages that are shown and not sent. */
export {
  makeMessageProviderSandbox,
  type MessageProviderSandboxOptions,
  sandboxMark,
  SandboxRefused
} from "./MessageProviderSandbox.ts"
