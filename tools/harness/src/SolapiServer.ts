import { Context, Effect, Layer, Schema, type Scope } from "effect"
import { createHmac, randomBytes } from "node:crypto"
import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import { HarnessError } from "./HarnessError.ts"

/** A message that went out, to whom and in which group. */
export interface SolapiDelivery {
  readonly groupId: string
  readonly to: string
  readonly text: string
  readonly type: string
}

export type SolapiOperation = "create" | "add" | "send" | "look" | "remove"

/**
 * What becomes of a request instead of its answer.
 *
 * - `throttled`: 429 with `Retry-After: 1`. `broken`: 500. `malformed`: 200 with half a JSON text. None does anything.
 * - `refused`: 400 with a code of Solapi. Does nothing.
 * - `silent`: nothing is done and no answer comes. `reset`: the connection is cut before anything is done.
 * - `done-silent`, `done-reset`, `done-broken`, `done-malformed`: it is done, and then no answer, a cut, a 500, half a
 * JSON text.
 */
export type SolapiFault =
  | "ok"
  | "throttled"
  | "broken"
  | "malformed"
  | "refused"
  | "silent"
  | "reset"
  | "done-silent"
  | "done-reset"
  | "done-broken"
  | "done-malformed"

export type SolapiListener = (operation: SolapiOperation, moment: "asked" | "done") => Promise<void> | void

interface Message {
  readonly messageId: string
  readonly to: string
  readonly text: string
  readonly type: string
  readonly statusCode: string
}

interface Group {
  readonly groupId: string
  status: "PENDING" | "SENDING" | "DELETED"
  dateSent: string | null
  readonly messages: Array<Message>
}

const refusalOf = (errorCode: string): string => JSON.stringify({ errorCode, errorMessage: "refused" })

const apiKey = "NCSTESTTESTTEST0"
const apiSecret = "TESTSECRETTESTSECRETTESTSECRET00"

class Refusal extends Error {
  readonly status: number
  readonly code: string
  constructor(status: number, code: string) {
    super(code)
    this.status = status
    this.code = code
  }
}

const Body = Schema.fromJsonString(
  Schema.Struct({ messages: Schema.optionalKey(Schema.Array(Schema.Record(Schema.String, Schema.Unknown))) })
)
const decodeBody = Schema.decodeUnknownSync(Body)

const bodyOf = async (request: IncomingMessage): Promise<typeof Body.Type> => {
  let text = ""
  for await (const chunk of request.setEncoding("utf8")) text += String(chunk)
  return decodeBody(text === "" ? "{}" : text)
}

const newId = (prefix: string): string => prefix + randomBytes(12).toString("hex").toUpperCase()

const textOf = (value: unknown): string => typeof value === "string" ? value : ""

/** As Solapi counts: one byte for ASCII, two for everything else. */
const bytesOf = (text: string): number =>
  Array.from(text).reduce((sum, character) => sum + (character < "\u0080" ? 1 : 2), 0)

const limits: Readonly<Record<string, number>> = { SMS: 90, LMS: 2000, ATA: 2000 }

/**
 * Solapi's group API (`/messages/v4/groups`) as far as we speak it, and as its documents describe it: signatures that
 * hold for 15 minutes and once, refusals by message with a code of four digits, a group that is sent once, and that can
 * never be sent after it was removed. It says what went out.
 *
 * Numbers that end in `0000` are refused as no subscriber (3032).
 */
export class SolapiServer extends Context.Service<SolapiServer, {
  readonly url: string
  readonly apiKey: string
  readonly apiSecret: string
  /** Every message that went out, in its order, as often as it did. */
  readonly deliveries: ReadonlyArray<SolapiDelivery>
  /** Replaces what becomes of the next requests of one operation, in their order. */
  readonly script: (operation: SolapiOperation, faults: ReadonlyArray<SolapiFault>) => void
  /**
   * Is called when a request has come, and again when it has been done and not yet answered; the server waits for it.
   */
  readonly watch: (listener: SolapiListener) => void
  /** How many requests came. */
  readonly requests: Readonly<Record<SolapiOperation, number>>
}>()("@lectern/harness/SolapiServer") {
  static readonly make: Effect.Effect<SolapiServer["Service"], HarnessError, Scope.Scope> = Effect.gen(function*() {
    const groups = new Map<string, Group>()
    const deliveries: Array<SolapiDelivery> = []
    const signatures = new Set<string>()
    const scripts = new Map<SolapiOperation, Array<SolapiFault>>()
    const requests: Record<SolapiOperation, number> = { create: 0, add: 0, send: 0, look: 0, remove: 0 }
    let listener: SolapiListener = () => undefined

    const authorize = (request: IncomingMessage): void => {
      const header = request.headers.authorization ?? ""
      const [, key, date = "", salt = "", signature = ""] =
        /^HMAC-SHA256 apiKey=(\w+), date=([^,]+), salt=([^,]{12,64}), signature=([0-9a-f]{64})$/.exec(header) ?? []
      if (key !== apiKey) throw new Refusal(403, "InvalidAPIKey")
      if (createHmac("sha256", apiSecret).update(date + salt).digest("hex") !== signature) {
        throw new Refusal(403, "SignatureDoesNotMatch")
      }
      const skew = Math.abs(new Date().getTime() - Date.parse(date))
      if (!(skew <= 15 * 60_000)) throw new Refusal(403, "RequestTimeTooSkewed")
      if (signatures.has(signature)) throw new Refusal(403, "DuplicatedSignature")
      signatures.add(signature)
    }

    const groupOf = (id: string): Group => {
      const group = groups.get(id)
      if (group === undefined) throw new Refusal(404, "ResourceNotFound")
      return group
    }

    const view = ({ dateSent, groupId, messages, status }: Group) => ({
      groupId,
      status,
      dateSent,
      count: {
        total: messages.length,
        registeredSuccess: messages.filter(({ statusCode }) => statusCode === "2000").length
      }
    })

    const judged = (group: Group, raw: Readonly<Record<string, unknown>>): Message => {
      const { from, text, to, type } = raw
      const known = group.messages.some((message) => message.to === to)
      const statusCode = !/^\d{8,}$/.test(textOf(to))
        ? "3010"
        : known
        ? "1026"
        : from !== "0212345678"
        ? "1062"
        : bytesOf(textOf(text)) > (limits[textOf(type)] ?? 0)
        ? "1031"
        : textOf(to).endsWith("0000")
        ? "3032"
        : "2000"
      return {
        messageId: newId("M4V"),
        to: textOf(to),
        text: textOf(text),
        type: textOf(type),
        statusCode
      }
    }

    const perform: Record<SolapiOperation, (id: string, body: typeof Body.Type) => object> = {
      create: () => {
        const group: Group = { groupId: newId("G4V"), status: "PENDING", dateSent: null, messages: [] }
        groups.set(group.groupId, group)
        return view(group)
      },
      add: (id, body) => {
        const group = groupOf(id)
        if (group.status !== "PENDING") throw new Refusal(400, "NotAllowedStatus")
        const results: Array<Message> = []
        for (const raw of body.messages ?? []) {
          const message = judged(group, raw)
          group.messages.push(message)
          results.push(message)
        }
        return {
          errorCount: results.filter(({ statusCode }) => statusCode !== "2000").length,
          resultList: results.map(({ messageId, statusCode, to, type }) => ({
            to,
            from: "0212345678",
            type,
            country: "82",
            messageId,
            statusCode,
            statusMessage: statusCode,
            accountId: "12925149"
          }))
        }
      },
      send: (id) => {
        const group = groupOf(id)
        if (group.status !== "PENDING") throw new Refusal(400, "NotAllowedStatus")
        group.status = "SENDING"
        group.dateSent = new Date().toISOString()
        for (const { statusCode, text, to, type } of group.messages) {
          if (statusCode === "2000") deliveries.push({ groupId: id, to, text, type })
        }
        return view(group)
      },
      look: (id) => view(groupOf(id)),
      remove: (id) => {
        const group = groupOf(id)
        if (group.status !== "PENDING") throw new Refusal(400, "NotAllowedStatus")
        group.status = "DELETED"
        return view(group)
      }
    }

    const routes: ReadonlyArray<readonly [method: string, path: RegExp, operation: SolapiOperation]> = [
      ["POST", /^\/messages\/v4\/groups$/, "create"],
      ["PUT", /^\/messages\/v4\/groups\/([^/]+)\/messages$/, "add"],
      ["POST", /^\/messages\/v4\/groups\/([^/]+)\/send$/, "send"],
      ["GET", /^\/messages\/v4\/groups\/([^/]+)$/, "look"],
      ["DELETE", /^\/messages\/v4\/groups\/([^/]+)$/, "remove"]
    ]

    const answer = (
      response: ServerResponse,
      status: number,
      text: string,
      headers: Record<string, string> = {}
    ): void => {
      response.writeHead(status, { "content-type": "application/json", ...headers }).end(text)
    }

    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const body = await bodyOf(request)
      authorize(request)
      const route = routes.find(([method, path]) => method === request.method && path.test(request.url ?? ""))
      if (route === undefined) throw new Refusal(404, "ResourceNotFound")
      const [, path, operation] = route
      const id = path.exec(request.url ?? "")?.[1] ?? ""
      requests[operation] += 1
      await listener(operation, "asked")
      const fault = scripts.get(operation)?.shift() ?? "ok"
      switch (fault) {
        case "throttled":
          return answer(response, 429, refusalOf("TooManyRequests"), { "retry-after": "1" })
        case "broken":
          return answer(response, 500, "<html>")
        case "malformed":
          return answer(response, 200, "{\"groupId\":")
        case "refused":
          throw new Refusal(400, "NotEnoughBalance")
        case "silent":
          return
        case "reset":
          request.socket.destroy()
          return
        case "ok":
        case "done-silent":
        case "done-reset":
        case "done-broken":
        case "done-malformed":
          break
      }
      const done = perform[operation](id, body)
      await listener(operation, "done")
      if (fault === "done-silent") return
      if (fault === "done-reset") request.socket.destroy()
      else if (fault === "done-broken") answer(response, 502, "<html>")
      else if (fault === "done-malformed") answer(response, 200, "{\"groupId\":")
      else answer(response, 200, JSON.stringify(done))
    }

    const server = createServer((request, response) => {
      serve(request, response).catch((error: unknown) => {
        if (error instanceof Refusal) {
          answer(response, error.status, refusalOf(error.code))
        } else if (!response.headersSent) answer(response, 500, refusalOf("InternalError"))
      })
    })
    const port = yield* Effect.acquireRelease(
      Effect.callback<number, HarnessError>((resume) => {
        server.once("error", (cause) =>
          resume(Effect.fail(new HarnessError({ message: `Solapi's stand-in cannot listen: ${cause.message}`, output: "", cause }))))
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
        })
      }),
      () =>
        Effect.callback<void>((resume) => {
          server.close(() => resume(Effect.void))
          server.closeAllConnections()
        })
    )
    return {
      url: `http://127.0.0.1:${port}`,
      apiKey,
      apiSecret,
      deliveries,
      script: (operation, faults) => void scripts.set(operation, [...faults]),
      watch: (next) => {
        listener = next
      },
      requests
    }
  })

  static readonly layer: Layer.Layer<SolapiServer, HarnessError> = Layer.effect(SolapiServer, SolapiServer.make)
}
