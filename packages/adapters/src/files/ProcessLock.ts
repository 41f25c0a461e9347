import { Option, Schema } from "effect"
import { randomUUID } from "node:crypto"
import { link, readFile, rename, rm, writeFile } from "node:fs/promises"

/** A process: its number alone is given away again after its death. */
const Holder = Schema.Struct({
  pid: Schema.Int,
  /** When the process started, as the system counts it; `null` where the system does not say. */
  startedAt: Schema.NullOr(Schema.String),
  /** Tells the locks of one process apart; earlier releases wrote none. */
  id: Schema.optionalKey(Schema.String)
})
type Holder = typeof Holder.Type

const HolderJson = Schema.fromJsonString(Holder)
const decodeHolder = Schema.decodeUnknownOption(HolderJson)
const encodeHolder = Schema.encodeSync(HolderJson)

/** A lock that was taken, or the living process that holds it. */
export type LockAttempt =
  | { readonly _tag: "Taken"; readonly release: () => Promise<void> }
  | { readonly _tag: "Held"; readonly pid: number }

const isMissing = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "ENOENT"
const isTaken = (cause: unknown): boolean => cause instanceof Error && "code" in cause && cause.code === "EEXIST"

/**
 * Clock ticks from the machine's start to the process's, on Linux: the 22nd field, counted behind the name in
 * brackets.
 */
const startOf = async (pid: number): Promise<string | null> => {
  try {
    const status = await readFile(`/proc/${pid}/stat`, "utf8")
    return status.slice(status.lastIndexOf(")") + 2).split(" ")[19] ?? null
  } catch {
    return null
  }
}

const ownStart = startOf(process.pid)

const isAlive = async (holder: Holder): Promise<boolean> => {
  try {
    process.kill(holder.pid, 0)
  } catch (cause) {
    // A process of another user answers EPERM: it is there.
    if (!(cause instanceof Error && "code" in cause && cause.code === "EPERM")) return false
  }
  return holder.startedAt === null || await startOf(holder.pid) === holder.startedAt
}

const readOrNull = async (path: string): Promise<string | null> => {
  try {
    return await readFile(path, "utf8")
  } catch (cause) {
    if (isMissing(cause)) return null
    throw cause
  }
}

/** Makes the lock with its content in one step, so that nobody ever reads half of it. Answers whether it was free. */
const create = async (path: string, content: string): Promise<boolean> => {
  const draft = `${path}.${randomUUID()}`
  await writeFile(draft, content)
  try {
    await link(draft, path)
    return true
  } catch (cause) {
    if (isTaken(cause)) return false
    throw cause
  } finally {
    await rm(draft, { force: true })
  }
}

/** Moves a dead holder's lock away. Somebody else may have been faster: then what was moved is his, and is put back. */
const clear = async (path: string, stale: string): Promise<void> => {
  const aside = `${path}.${randomUUID()}.stale`
  try {
    await rename(path, aside)
  } catch (cause) {
    if (isMissing(cause)) return
    throw cause
  }
  if (await readOrNull(aside) !== stale) await link(aside, path)
  await rm(aside, { force: true })
}

/**
 * Tries to take the lock that the file `path` is; its folder is there. A dead holder's lock is taken over, a frozen
 * one's is not. The holders are processes of one machine: over a network file system, or from two containers, nobody
 * sees who lives. Fails as the file system fails.
 */
export const tryProcessLock = async (path: string): Promise<LockAttempt> => {
  const content = encodeHolder({ pid: process.pid, startedAt: await ownStart, id: randomUUID() })
  // Each round ends with a lock that is ours, or with a holder who lives; more rounds need more changes of hands.
  for (let round = 0; round < 10; round += 1) {
    if (await create(path, content) && await readOrNull(path) === content) {
      return {
        _tag: "Taken",
        release: async () => {
          if (await readOrNull(path) === content) await rm(path, { force: true })
        }
      }
    }
    const found = await readOrNull(path)
    if (found === null) continue
    const holder = Option.getOrNull(decodeHolder(found))
    if (holder !== null && await isAlive(holder)) return { _tag: "Held", pid: holder.pid }
    await clear(path, found)
  }
  throw new Error(`The lock ${path} changes hands too quickly`)
}
