import * as CliOutput from "effect/cli/CliOutput"
import * as Console from "effect/Console"

/**
 * A command that was called wrongly says so in a line or two on standard error, where no script takes it for a result; its help is
 * one word away.
 */
export const layerUsage = CliOutput.layerPresenter({
  present: (event) =>
    event._tag === "InvalidInvocation"
      ? Console.error([
        ...event.errors.map((error) => `lectern: ${error.message}`),
        `Try: ${event.commandPath.join(" ")} --help`
      ].join("\n"))
      : CliOutput.defaultPresenter.present(event)
})
