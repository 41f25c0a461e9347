import type { WorkerCommand } from "@lectern/domain"
import { Effect } from "effect"
import type { HandlerEnd } from "./JobHandler.ts"

/** The end of an attempt before its work is done, with the reason in the log. `error` names nobody: it is logged. */
export const endedEarly = <R>(
  command: WorkerCommand,
  error: string,
  afterwards: HandlerEnd<R>["afterwards"]
): Effect.Effect<HandlerEnd<R>> =>
  Effect.as(Effect.logWarning("The work ended early", { command: command._tag, error }), { command, afterwards })
