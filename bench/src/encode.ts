/**
 * `npm run bench:encode -w @lectern/bench`: our encode beside the fastest plain ffmpeg command that makes the same
 * ladder, what kills cost it, and how true its progress is.
 *
 *     node src/encode.ts            96 s of 1080p, 3 rounds
 *     node src/encode.ts --quick    96 s of 540p, 1 round
 *
 * The contenders take turns in each round, on the same input; what is compared is the median of each. CPU is user and
 * system time of a program and all that it started, and depends least on what else the machine does; so does the work
 * done at a moment, which is the CPU spent by then.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Encoder, MediaProbe, plan, unheard } from "@lectern/worker-video/encoder"
import { Effect, Layer } from "effect"
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { killedRun, type CostedLine, type OurRun, ourRun } from "./encode/ourRun.ts"
import { plainCommand } from "./encode/plainCommand.ts"
import { type Timed, timedCommand } from "./encode/timedCommand.ts"
import { median } from "./median.ts"

const quick = process.argv.includes("--quick")
const rounds = quick ? 1 : 3
const seconds = 96
const size = quick ? "960:540" : "1920:1080"
const kills = [0.25, 0.5, 0.75]

const clip = fileURLToPath(new URL("../../media/car-detection.mp4", import.meta.url))
const root = mkdtempSync(join(tmpdir(), "lectern-bench-encode-"))

const say = (text: string): void => void process.stdout.write(`${text}\n`)
const percent = (value: number): string => `${(value * 100).toFixed(1)} %`

/** When each packet of a rendition is decoded and shown. */
const packets = async (outDir: string, rendition: string): Promise<string> => {
  const what = ["-show_entries", "packet=pts,dts,duration,flags", "-of", "csv"]
  return (await timedCommand(["ffprobe", "-v", "error", ...what, join(outDir, rendition, "index.m3u8")])).stdout
}

const renditionsIn = (outDir: string): ReadonlyArray<string> =>
  readdirSync(outDir).filter((name) => /^(?:v\d+|audio)$/.test(name))

const encoding = (lines: ReadonlyArray<CostedLine>): ReadonlyArray<CostedLine> =>
  lines.filter(({ step }) => step === "transcoding")

/** How true the reports of a run were, by hindsight: the work by the CPU that it cost, the time by the clock. */
const truthOf = ({ lines, wallSeconds }: OurRun) => {
  const samples = encoding(lines)
  const from = samples[0]?.at ?? 0
  const to = samples.at(-1)?.at ?? 0
  const moving = samples.slice(1, -1)
  const spent = (line: CostedLine | undefined): number => (line?.cpuSeconds ?? 0) - (samples[0]?.cpuSeconds ?? 0)
  const work = spent(samples.at(-1))
  const near = moving.filter((line) => Math.abs((line.fraction ?? 0) - spent(line) / work) <= 0.05)
  const estimates = moving.flatMap(({ at, remainingSeconds }) => {
    const left = (to - at) / 1000
    const passed = (at - from) / (to - from)
    return remainingSeconds === undefined || remainingSeconds === null || passed < 0.2 || passed > 0.95
      ? []
      : [Math.abs(remainingSeconds / left - 1)]
  })
  return {
    first: lines[0]?.at ?? Number.NaN,
    fell: samples.some(({ fraction = 0 }, index) => fraction < (samples[index - 1]?.fraction ?? 0)),
    near: near.length / Math.max(1, moving.length),
    error: Math.max(0, ...estimates),
    firstGroup: (lines.find(({ kept }) => kept?.startsWith("pictures-"))?.at ?? Number.NaN) / 1000 / wallSeconds
  }
}

const main = async (): Promise<void> => {
  const input = join(root, "in.mp4")
  const picture = ["-vf", `scale=${size}:flags=bicubic,fps=30`, "-c:v", "libx264", "-preset", "ultrafast", "-crf", "18"]
  const looped = ["-stream_loop", "-1", "-i", clip, "-t", String(seconds)]
  await timedCommand(["ffmpeg", "-v", "error", ...looped, ...picture, "-c:a", "aac", input])
  const probe = Effect.flatMap(MediaProbe, ({ probe }) => probe(input, unheard))
  const layer = Encoder.layerFfmpeg.pipe(Layer.provide(NodeServices.layer))
  const command = plainCommand(input, plan(await Effect.runPromise(Effect.provide(probe, layer))))

  const plain: Array<Timed> = []
  const whole: Array<OurRun> = []
  const groups: Array<OurRun> = []
  for (let round = 0; round < rounds; round++) {
    const directory = join(root, `plain-${round}`)
    mkdirSync(directory)
    plain.push(await timedCommand(command, directory))
    whole.push(await ourRun(input, join(root, "whole"), "whole"))
    groups.push(await ourRun(input, join(root, "groups"), "groups"))
    rmSync(directory, { recursive: true })
  }

  const wall = (runs: ReadonlyArray<Pick<Timed, "wallSeconds">>) => median(runs.map(({ wallSeconds }) => wallSeconds))
  const cpu = (runs: ReadonlyArray<Pick<Timed, "cpuSeconds">>) => median(runs.map(({ cpuSeconds }) => cpuSeconds))
  say(`${seconds} s of ${size.replace(":", "x")}, ${rounds} round${rounds === 1 ? "" : "s"}; medians`)
  say("                            wall s   ratio    CPU s   ratio")
  const contenders = [["plain ffmpeg", plain], ["ours, nothing kept", whole], ["ours, groups kept", groups]] as const
  for (const [name, runs] of contenders) {
    const [w, c] = [wall(runs), cpu(runs)]
    const ratio = (value: number, to: number) => (value / to).toFixed(2).padStart(6)
    const walls = `${w.toFixed(1).padStart(7)} ${ratio(w, wall(plain))}`
    say(`  ${name.padEnd(24)} ${walls} ${c.toFixed(1).padStart(9)} ${ratio(c, cpu(plain))}`)
  }

  const truths = groups.map(truthOf)
  say("progress of the encode with groups, worst of the rounds")
  say(`  first report after                     ${Math.round(Math.max(...truths.map(({ first }) => first)))} ms`)
  say(`  percent fell                           ${truths.some(({ fell }) => fell) ? "yes" : "never"}`)
  say(`  samples within 5 points of the work    ${percent(Math.min(...truths.map(({ near }) => near)))}`)
  say(`  remaining time off, after a fifth      ${percent(Math.max(...truths.map(({ error }) => error)))} at most`)
  const firstGroup = Math.max(...truths.map((truth) => truth.firstGroup))
  say(`  first group kept after                 ${percent(firstGroup)} of the whole`)

  const outDir = join(root, "killed")
  let spent = 0
  for (const fraction of kills) spent += await killedRun(input, outDir, fraction)
  const last = await ourRun(input, outDir, "groups")
  spent += last.cpuSeconds
  const reference = join(root, "groups")
  const apart: Array<string> = []
  for (const rendition of renditionsIn(reference)) {
    if ((await packets(outDir, rendition)) !== (await packets(reference, rendition))) apart.push(rendition)
  }
  say("killed by SIGKILL at 25, 50 and 75 %, and begun again each time")
  const more = percent(spent / cpu(groups) - 1)
  say(`  CPU in all                             ${spent.toFixed(1)} s, ${more} more than without kills`)
  say(`  groups and sound in the last attempt   ${last.lines.filter(({ kept }) => kept !== undefined).length}`)
  const framesOf = (run: OurRun | undefined) => run?.lines.at(-1)?.frames
  say(`  frames                                 ${framesOf(last)} (without kills ${framesOf(groups[0])})`)
  const times = apart.length === 0 ? "the same in every rendition" : `differ in ${apart.join(", ")}`
  say(`  packet times                           ${times}`)
  const [w, g] = [cpu(whole) / cpu(plain), cpu(groups) / cpu(plain)]
  const aims = [
    [w <= 1.03, "CPU without groups at most 1.03"],
    [g <= 1.1, "CPU with groups at most 1.10"],
    [spent / cpu(groups) <= 1.25, "kills cost at most 25 %"],
    [truths.every(({ near }) => near >= 0.9), "nine samples in ten within 5 points"],
    [truths.every(({ error }) => error <= 0.25), "remaining time off by at most 25 %"],
    [truths.every(({ firstGroup }) => firstGroup <= 0.15), "first group under 15 %"],
    [apart.length === 0, "the same packet times"]
  ] as const
  say("aims")
  for (const [met, aim] of aims) say(`  ${met ? "met   " : "MISSED"} ${aim}`)
}

try {
  await main()
} finally {
  rmSync(root, { recursive: true, force: true })
}
