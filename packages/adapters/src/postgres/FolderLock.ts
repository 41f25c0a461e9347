import { Effect, Option, Schema, type Scope } from "effect"
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises"
import { join } from "node:path"

/** A living process works in the folder: a second one would lose rows without a word. */
export class FolderInUse extends Schema.TaggedError<FolderInUse>()("FolderInUse", {
  folder: Schema.String,
  pid: Schema.Int
}) {
  override get message(): string {
    return `Cannot open the database in ${this.folder}: process ${this.pid} is using it; stop it, or set DATABASE_URL`
  }
}

/** The folder cannot be read or written. */
export class FolderUnusable extends Schema.TaggedError<FolderUnusable>()("FolderUnusable", {
  folder: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot open the database in ${this.folder}: the folder cannot be used`
  }
}

/** A process: its number alone is given away again after its death. */
const Holder = Schema.Struct({
  pid: Schema.Int,
  /** When the process started, as the system counts it; `null` where the system does not say. */
  startedAt: Schema.NullOr(Schema.String)
})
type Holder = typeof Holder.Type

const HolderJson = Schema.fromJsonString(Holder)
const decodeHolder = Schema.decodeUnknownOption(HolderJson)
const encodeHolder = Schema.encodeSync(HolderJson)

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
  const draft = `${path}.${process.pid}`
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
  const aside = `${path}.${process.pid}.stale`
  try {
    await rename(path, aside)
  } catch (cause) {
    if (isMissing(cause)) return
    throw cause
  }
  if (await readOrNull(aside) !== stale) await link(aside, path)
  await rm(aside, { force: true })
}

const take = async (path: string, content: string): Promise<Holder | null> => {
  // Each round ends with a lock that is ours, or with a holder who lives; more rounds need more deaths in between.
  for (let round = 0; round < 10; round += 1) {
    if (await create(path, content) && await readOrNull(path) === content) return null
    const found = await readOrNull(path)
    if (found === null) continue
    const holder = Option.getOrNull(decodeHolder(found))
    if (holder !== null && await isAlive(holder)) return holder
    await clear(path, found)
  }
  throw new Error(`The lock ${path} changes hands too quickly`)
}

/**
 * Holds `folder`, which is made when it is missing, for this process until the scope closes. A dead holder's lock is
 * taken over. The holders are processes of one machine: over a network file system, or from two containers, nobody
 * sees who lives.
 */
export const lockFolder = (folder: string): Effect.Effect<void, FolderInUse | FolderUnusable, Scope.Scope> => {
  const path = join(folder, "lock")
  const attempt = <A>(work: () => Promise<A>) =>
    Effect.tryPromise({ try: work, catch: (cause) => new FolderUnusable({ folder, cause }) })
  return Effect.acquireRelease(
    Effect.gen(function*() {
      const startedAt = yield* Effect.promise(() => startOf(process.pid))
      const content = encodeHolder({ pid: process.pid, startedAt })
      const holder = yield* attempt(async () => {
        await mkdir(folder, { recursive: true })
        return take(path, content)
      })
      if (holder !== null) return yield* new FolderInUse({ folder, pid: holder.pid })
      return content
    }),
    (content) =>
      Effect.promise(async () => {
        if (await readOrNull(path) === content) await rm(path, { force: true })
      })
  ).pipe(Effect.asVoid)
}
