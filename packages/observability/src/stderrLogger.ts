import { Logger, Schema } from "effect"
import { toLogLine } from "./logLine.ts"
import { type LogLine, type LogLevelName, LogLineJson } from "./LogSchema.ts"

const encode = Schema.encodeSync(LogLineJson)

const colours: Record<LogLevelName, number> = { TRACE: 90, DEBUG: 90, INFO: 32, WARN: 33, ERROR: 31, FATAL: 31 }

const fieldsShown = ["tenant", "job", "kind", "attempt", "step"] as const

/** A line for people: time of day, level, message, ids, and errors below. */
export const prettyLine = (line: LogLine): string => {
  const fields = fieldsShown.flatMap((name) => line[name] === undefined ? [] : [`${name}=${line[name]}`])
  const detail = line.detail === undefined ? [] : [JSON.stringify(line.detail)]
  const head = [
    `\u001b[90m${line.ts.slice(11, 23)}\u001b[0m`,
    `\u001b[${colours[line.level]}m${line.level.padEnd(5)}\u001b[0m`,
    line.message,
    ...[...fields, ...detail].map((text) => `\u001b[90m${text}\u001b[0m`)
  ].join(" ")
  return line.error === undefined ? head : `${head}\n  ${line.error.replaceAll("\n", "\n  ")}`
}

/** Where lines go. `isTTY` says whether people read them as they come. */
export interface LogSink {
  readonly isTTY?: boolean
  readonly write: (text: string) => unknown
}

/** Writes each entry to a sink as one line of JSON, or for people where the sink is a terminal. */
export const lineLogger = (service: string, sink: LogSink): Logger.Logger<unknown, void> => {
  const show = sink.isTTY === true ? prettyLine : encode
  return Logger.make((options) => {
    sink.write(`${show(toLogLine(service, options))}\n`)
  })
}
