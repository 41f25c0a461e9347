import { Predicate } from "effect"

const field = (value: unknown, name: string): string =>
  Predicate.hasProperty(value, name) && typeof value[name] === "string" ? value[name] : ""

/** No chain of ours is longer; one of a driver may be a ring. */
const maxDepth = 10

/** What an error and its causes say of themselves, outermost first: names, codes and messages. For looking at, not for showing. */
export const causeChain = (error: unknown): ReadonlyArray<string> => {
  const said: Array<string> = []
  let current = error
  for (let depth = 0; depth < maxDepth && current !== undefined && current !== null; depth += 1) {
    const text = ["name", "code", "message"].map((name) => field(current, name)).filter((part) => part !== "").join(" ")
    said.push(text === "" ? String(current) : text)
    // A connection to a name with several addresses fails with one error for each.
    const first: unknown = Predicate.hasProperty(current, "errors") && Array.isArray(current.errors) ? current.errors[0] : undefined
    current = first ?? (Predicate.hasProperty(current, "reason") && typeof current.reason === "object"
      ? current.reason
      : Predicate.hasProperty(current, "cause")
      ? current.cause
      : undefined)
  }
  return said
}

const maxQuote = 160

/** The innermost thing that was said, on one line, without the secrets of the addresses in `secrets`. */
export const quote = (error: unknown, secrets: ReadonlyArray<string>): string => {
  const innermost = causeChain(error).at(-1) ?? "nothing"
  const hidden = secrets.flatMap((address) => {
    const password = URL.canParse(address) ? new URL(address).password : ""
    return [address, password, decoded(password)].filter((text) => text !== "")
  })
  return hidden.reduce((text, secret) => text.replaceAll(secret, "***"), innermost).replaceAll(/\s+/g, " ").slice(0, maxQuote)
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text)
  } catch {
    // A percent sign that encodes nothing.
    return text
  }
}

/** Where an address leads, without the user and the password in it. */
export const placeOf = (address: string): string => {
  const url = URL.parse(address)
  return url === null ? "an address that is none" : url.host
}
