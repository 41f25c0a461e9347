/**
 * What the edge uses of Deno, and no more. Deno's own declarations are global and would give every module of the package
 * a `Deno` that Node does not have.
 */
export interface DenoRuntime {
  readonly env: { readonly get: (name: string) => string | undefined }
  readonly stdout: DenoOutput
  readonly stderr: DenoOutput
  /** Listens at once and throws where it cannot. */
  readonly serve: (
    options: {
      readonly hostname: string
      readonly port: number
      readonly onListen: (address: { readonly hostname: string; readonly port: number }) => void
    },
    handler: (request: Request) => Promise<Response>
  ) => {
    /** Takes no more connections, and settles when the requests in hand have their answers. */
    readonly shutdown: () => Promise<void>
  }
  readonly addSignalListener: (signal: "SIGINT" | "SIGTERM", listener: () => void) => void
  readonly exit: (code: number) => never
}

interface DenoOutput {
  /** The number of bytes that it took, which may be fewer than there are. */
  readonly writeSync: (bytes: Uint8Array) => number
}
