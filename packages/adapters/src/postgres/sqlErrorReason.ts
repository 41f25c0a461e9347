import { causesOf } from "@lectern/domain"
import { Predicate } from "effect"
import {
  AuthenticationError,
  AuthorizationError,
  ConnectionError,
  ConstraintError,
  DeadlockError,
  LockTimeoutError,
  SerializationError,
  type SqlErrorReason,
  SqlSyntaxError,
  StatementTimeoutError,
  UniqueViolation,
  UnknownError
} from "effect/sql/SqlError"

/** Five letters or digits: what the database itself says. Anything else in `code` is Node's. */
const sqlState = /^[0-9A-Z]{5}$/

const stringField = (value: unknown, field: string): string | undefined => {
  if (!Predicate.hasProperty(value, field)) return undefined
  const found = value[field]
  return typeof found === "string" ? found : undefined
}

/** No driver's chain is longer. */
const maxDepth = 8

/** The SQLSTATE of a driver's error, searched for along its causes; `undefined` when the database has not spoken. */
export const sqlStateOf = (error: unknown): string | undefined => {
  for (const current of causesOf(error, maxDepth)) {
    const code = stringField(current, "code")
    if (code !== undefined && sqlState.test(code) && code !== "EPIPE") return code
  }
  return undefined
}

/** The server ends the session with these, whatever was asked: shutdown, crash, a dropped database, an idle session. */
export const endsSession = (state: string): boolean =>
  state.startsWith("08") || state.startsWith("57P") || state === "25P03" || state === "25P04"

/** What a pg-like driver's rejection means. An error in which the database has not spoken is a lost connection. */
export const sqlErrorReason = (cause: unknown): SqlErrorReason => {
  const message = stringField(cause, "message") ?? String(cause)
  const fields = { cause, message, operation: "query" }
  const state = sqlStateOf(cause)
  if (state === undefined || endsSession(state)) return new ConnectionError(fields)
  switch (state) {
    case "23505":
      return new UniqueViolation({ ...fields, constraint: stringField(cause, "constraint") ?? "unknown" })
    case "40001":
      return new SerializationError(fields)
    case "40P01":
      return new DeadlockError(fields)
    case "42501":
      return new AuthorizationError(fields)
    case "55P03":
      return new LockTimeoutError(fields)
    case "57014":
      return new StatementTimeoutError(fields)
  }
  switch (state.slice(0, 2)) {
    case "23":
      return new ConstraintError(fields)
    case "28":
      return new AuthenticationError(fields)
    case "42":
      return new SqlSyntaxError(fields)
    default:
      return new UnknownError(fields)
  }
}
