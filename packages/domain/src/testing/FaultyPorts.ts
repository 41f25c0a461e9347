/**
 * The ports of the memory layers with a script of faults before them: one layer for each port, which takes the port itself from
 * below. Listed method by method, so that a method which a port gains does not compile here until it can fail too.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { EncodeRuntime, EncodeRuntimeUnavailable, SubmissionUncertain } from "../EncodeRuntime.ts"
import { type Delivery, JobQueue, QueueUnavailable } from "../JobQueue.ts"
import { JobStore, JobStoreUnavailable } from "../JobStore.ts"
import { MessageLedger } from "../MessageLedger.ts"
import { ObjectStore, ObjectStoreUnavailable } from "../ObjectStore.ts"
import { MirrorUnavailable, ProgressMirror } from "../ProgressMirror.ts"
import { ProgressReader } from "../ProgressReader.ts"
import { StudentStore } from "../Student.ts"
import { type Fault, FaultyCalls, type InjectedFault } from "./Faults.ts"

const jobStoreUnavailable = (operation: string) => (retryable: boolean, cause: InjectedFault, fault: Fault) =>
  new JobStoreUnavailable({
    operation,
    reason: retryable ? "away" : fault === "unstorable" ? "value" : "bug",
    cause
  })

export const faultyJobStore: Layer.Layer<JobStore, never, JobStore | FaultyCalls> = Layer.effect(
  JobStore,
  Effect.gen(function*() {
    const real = yield* JobStore
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | JobStoreUnavailable> =>
      call("store", `JobStore.${operation}`, effect, jobStoreUnavailable(operation))
    return JobStore.of({
      createVideo: (...args) => faulty("createVideo", real.createVideo(...args)),
      completeUpload: (...args) => faulty("completeUpload", real.completeUpload(...args)),
      retryEncode: (...args) => faulty("retryEncode", real.retryEncode(...args)),
      beginDelete: (...args) => faulty("beginDelete", real.beginDelete(...args)),
      finishDelete: (...args) => faulty("finishDelete", real.finishDelete(...args)),
      createJob: (...args) => faulty("createJob", real.createJob(...args)),
      claim: (...args) => faulty("claim", real.claim(...args)),
      transition: (...args) => faulty("transition", real.transition(...args)),
      heartbeat: (...args) => faulty("heartbeat", real.heartbeat(...args)),
      intervene: (...args) => faulty("intervene", real.intervene(...args)),
      beginSubmission: (...args) => faulty("beginSubmission", real.beginSubmission(...args)),
      recordSubmission: (...args) => faulty("recordSubmission", real.recordSubmission(...args)),
      dropSubmission: (...args) => faulty("dropSubmission", real.dropSubmission(...args)),
      markDispatched: (...args) => faulty("markDispatched", real.markDispatched(...args)),
      getVideo: (...args) => faulty("getVideo", real.getVideo(...args)),
      listVideos: (...args) => faulty("listVideos", real.listVideos(...args)),
      getJob: (...args) => faulty("getJob", real.getJob(...args)),
      findUndispatched: (...args) => faulty("findUndispatched", real.findUndispatched(...args)),
      findExpired: (...args) => faulty("findExpired", real.findExpired(...args)),
      findDispatchedEncodes: (...args) => faulty("findDispatchedEncodes", real.findDispatchedEncodes(...args)),
      findGivenUp: (...args) => faulty("findGivenUp", real.findGivenUp(...args)),
      findDeleting: (...args) => faulty("findDeleting", real.findDeleting(...args)),
      findLive: (...args) => faulty("findLive", real.findLive(...args)),
      ping: faulty("ping", real.ping)
    })
  })
)

export const faultyStudentStore: Layer.Layer<StudentStore, never, StudentStore | FaultyCalls> = Layer.effect(
  StudentStore,
  Effect.gen(function*() {
    const real = yield* StudentStore
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | JobStoreUnavailable> =>
      call("students", `StudentStore.${operation}`, effect, jobStoreUnavailable(operation))
    return StudentStore.of({
      insertBatch: (...args) => faulty("insertBatch", real.insertBatch(...args)),
      findExisting: (...args) => faulty("findExisting", real.findExisting(...args)),
      undoImport: (...args) => faulty("undoImport", real.undoImport(...args))
    })
  })
)

export const faultyMessageLedger: Layer.Layer<MessageLedger, never, MessageLedger | FaultyCalls> = Layer.effect(
  MessageLedger,
  Effect.gen(function*() {
    const real = yield* MessageLedger
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | JobStoreUnavailable> =>
      call("messages", `MessageLedger.${operation}`, effect, jobStoreUnavailable(operation))
    return MessageLedger.of({
      accept: (...args) => faulty("accept", real.accept(...args)),
      look: (...args) => faulty("look", real.look(...args)),
      unsettled: (...args) => faulty("unsettled", real.unsettled(...args)),
      next: (...args) => faulty("next", real.next(...args)),
      begin: (...args) => faulty("begin", real.begin(...args)),
      settle: (...args) => faulty("settle", real.settle(...args)),
      list: (...args) => faulty("list", real.list(...args)),
      decide: (...args) => faulty("decide", real.decide(...args)),
      resend: (...args) => faulty("resend", real.resend(...args)),
      purge: (...args) => faulty("purge", real.purge(...args))
    })
  })
)

export const faultyProgressMirror: Layer.Layer<ProgressMirror, never, ProgressMirror | FaultyCalls> = Layer.effect(
  ProgressMirror,
  Effect.gen(function*() {
    const real = yield* ProgressMirror
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | MirrorUnavailable> =>
      call("mirror", `ProgressMirror.${operation}`, effect, (_, cause) => new MirrorUnavailable({ operation, cause }))
    return ProgressMirror.of({
      publish: (...args) => faulty("publish", real.publish(...args)),
      tick: (...args) => faulty("tick", real.tick(...args)),
      ping: faulty("ping", real.ping)
    })
  })
)

export const faultyProgressReader: Layer.Layer<ProgressReader, never, ProgressReader | FaultyCalls> = Layer.effect(
  ProgressReader,
  Effect.gen(function*() {
    const real = yield* ProgressReader
    const { call } = yield* FaultyCalls
    return ProgressReader.of({
      read: (...args) =>
        call("reader", "ProgressReader.read", real.read(...args), (_, cause) =>
          new MirrorUnavailable({ operation: "read", cause }))
    })
  })
)

export const faultyJobQueue: Layer.Layer<JobQueue, never, JobQueue | FaultyCalls> = Layer.effect(
  JobQueue,
  Effect.gen(function*() {
    const real = yield* JobQueue
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | QueueUnavailable> =>
      call("queue", `JobQueue.${operation}`, effect, (retryable, cause) =>
        new QueueUnavailable({ operation, retryable, cause }))
    const faultyDelivery = (delivery: Delivery): Delivery => ({
      message: delivery.message,
      receiveCount: delivery.receiveCount,
      acknowledge: faulty("acknowledge", delivery.acknowledge),
      release: (delaySeconds) => faulty("release", delivery.release(delaySeconds)),
      extend: (seconds) => faulty("extend", delivery.extend(seconds)),
      bury: faulty("bury", delivery.bury)
    })
    return JobQueue.of({
      send: (...args) => faulty("send", real.send(...args)),
      receive: (...args) =>
        faulty("receive", Effect.map(real.receive(...args), (deliveries) => deliveries.map(faultyDelivery))),
      ping: faulty("ping", real.ping)
    })
  })
)

export const faultyEncodeRuntime: Layer.Layer<EncodeRuntime, never, EncodeRuntime | FaultyCalls> = Layer.effect(
  EncodeRuntime,
  Effect.gen(function*() {
    const real = yield* EncodeRuntime
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(operation: string, effect: Effect.Effect<A, E>): Effect.Effect<A, E | EncodeRuntimeUnavailable> =>
      call("runtime", `EncodeRuntime.${operation}`, effect, (retryable, cause) =>
        new EncodeRuntimeUnavailable({ operation, retryable, cause }))
    return EncodeRuntime.of({
      findableAfterMillis: real.findableAfterMillis,
      submit: (submission) =>
        call("runtime", "EncodeRuntime.submit", real.submit(submission), (retryable, cause, fault) =>
          fault === "lost" || fault === "timeout"
            ? new SubmissionUncertain({ operation: "submit", cause })
            : new EncodeRuntimeUnavailable({ operation: "submit", retryable, cause })),
      find: (...args) => faulty("find", real.find(...args)),
      describe: (...args) => faulty("describe", real.describe(...args)),
      atWork: faulty("atWork", real.atWork),
      terminate: (...args) => faulty("terminate", real.terminate(...args))
    })
  })
)

export const faultyObjectStore: Layer.Layer<ObjectStore, never, ObjectStore | FaultyCalls> = Layer.effect(
  ObjectStore,
  Effect.gen(function*() {
    const real = yield* ObjectStore
    const { call } = yield* FaultyCalls
    const faulty = <A, E>(
      operation: string,
      key: string,
      effect: Effect.Effect<A, E>
    ): Effect.Effect<A, E | ObjectStoreUnavailable> =>
      call("objects", `ObjectStore.${operation}`, effect, (retryable, cause) =>
        new ObjectStoreUnavailable({ operation, key, retryable, cause }))
    return ObjectStore.of({
      put: (key, ...rest) => faulty("put", key, real.put(key, ...rest)),
      putIfUnchanged: (seen, ...rest) => faulty("putIfUnchanged", seen.key, real.putIfUnchanged(seen, ...rest)),
      get: (key, range) => Stream.unwrap(faulty("get", key, Effect.sync(() => real.get(key, range)))),
      getPart: (head, range) => faulty("getPart", head.key, real.getPart(head, range)),
      head: (key) => faulty("head", key, real.head(key)),
      list: (prefix) => Stream.unwrap(faulty("list", prefix, Effect.sync(() => real.list(prefix)))),
      remove: (key) => faulty("remove", key, real.remove(key)),
      removePrefix: (prefix) => faulty("removePrefix", prefix, real.removePrefix(prefix)),
      presignPut: (key, options) => faulty("presignPut", key, real.presignPut(key, options)),
      presignGet: (key, options) => faulty("presignGet", key, real.presignGet(key, options)),
      multipart: {
        begin: (key, headers) => faulty("multipart.begin", key, real.multipart.begin(key, headers)),
        putPart: (upload, ...rest) => faulty("multipart.putPart", upload.key, real.multipart.putPart(upload, ...rest)),
        presignPart: (upload, ...rest) =>
          faulty("multipart.presignPart", upload.key, real.multipart.presignPart(upload, ...rest)),
        parts: (upload) => faulty("multipart.parts", upload.key, real.multipart.parts(upload)),
        complete: (upload, parts) => faulty("multipart.complete", upload.key, real.multipart.complete(upload, parts)),
        abort: (upload) => faulty("multipart.abort", upload.key, real.multipart.abort(upload)),
        list: (prefix) => Stream.unwrap(faulty("multipart.list", prefix, Effect.sync(() => real.multipart.list(prefix))))
      },
      ping: faulty("ping", "", real.ping)
    })
  })
)
