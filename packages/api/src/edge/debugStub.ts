/**
 * Stands in the edge's bundles for the package `debug`, which ioredis logs with. That one lists the whole environment when it is
 * loaded: under Deno it would need the permission to read every variable, the database's address among them.
 */
interface Debug {
  (...parts: ReadonlyArray<unknown>): void
  readonly enabled: boolean
}

const silent: Debug = Object.assign(() => undefined, { enabled: false })

const makeDebug = (_namespace: string): Debug => silent

export default makeDebug
