import { Schema } from "effect"

const names = Schema.optionalKey(Schema.Record(Schema.String, Schema.String))

/** package-lock.json, as far as it says what needs what. */
export const LockFile = Schema.Struct({
  packages: Schema.Record(
    Schema.String,
    Schema.Struct({
      resolved: Schema.optionalKey(Schema.String),
      link: Schema.optionalKey(Schema.Boolean),
      dependencies: names,
      optionalDependencies: names,
      peerDependencies: names
    })
  )
})
export type LockFile = typeof LockFile.Type

/** Where `name` is found by what lies in `from`: in the nearest node_modules above it. */
const resolve = ({ packages }: LockFile, from: string, name: string): string | undefined => {
  const parts = from.split("/")
  for (let depth = parts.length; depth >= 0; depth -= 1) {
    const place = [...parts.slice(0, depth), "node_modules", name].join("/")
    const found = packages[place]
    if (found !== undefined) return found.link === true ? found.resolved : place
  }
  return undefined
}

/** The names of everything that a workspace needs when it runs, its own among them. */
export const closureOf = (lock: LockFile, workspace: string): ReadonlySet<string> => {
  const start = resolve(lock, "", workspace)
  if (start === undefined) throw new Error(`package-lock.json knows no ${workspace}`)
  const names = new Set([workspace])
  const seen = new Set([start])
  const waiting = [start]
  for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
    const { dependencies, optionalDependencies, peerDependencies } = lock.packages[place] ?? {}
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies, ...peerDependencies })) {
      const found = resolve(lock, place, name)
      if (found === undefined || seen.has(found)) continue
      names.add(name)
      seen.add(found)
      waiting.push(found)
    }
  }
  return names
}
