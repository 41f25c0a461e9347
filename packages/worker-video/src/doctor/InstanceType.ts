/** What is known of EC2's instance types without asking AWS: architecture, vCPUs, and how much memory a container can get. */

export type Architecture = "arm64" | "amd64"

export interface InstanceType {
  readonly name: string
  readonly architecture: Architecture
  readonly vcpus: number
  /** Of the whole machine, in MiB. */
  readonly memory: number
}

/** GiB of memory for each vCPU, by the letters that begin a family's name. Families that are not here are not judged. */
const gibPerVcpu: Readonly<Record<string, number>> = { c: 2, m: 4, r: 8, g4dn: 4, g4ad: 4, g5: 4, g5g: 2, g6: 4 }

/** The burstable types are of no rule: vCPUs and GiB. */
const burstable: Readonly<Record<string, readonly [number, number]>> = {
  nano: [2, 0.5],
  micro: [2, 1],
  small: [2, 2],
  medium: [2, 4],
  large: [2, 8],
  xlarge: [4, 16],
  "2xlarge": [8, 32]
}

/** Types whose memory differs from their family's rule: vCPUs and GiB. */
const odd: Readonly<Record<string, readonly [number, number]>> = {
  "g4dn.metal": [96, 384],
  "c4.large": [2, 3.75],
  "c4.xlarge": [4, 7.5],
  "c4.2xlarge": [8, 15],
  "c4.4xlarge": [16, 30],
  "c4.8xlarge": [36, 60],
  "r4.large": [2, 15.25],
  "r4.xlarge": [4, 30.5],
  "r4.2xlarge": [8, 61],
  "r4.4xlarge": [16, 122],
  "r4.8xlarge": [32, 244],
  "r4.16xlarge": [64, 488],
  "t2.micro": [1, 1],
  "t2.small": [1, 2]
}

const sizeVcpus = (size: string): number | null => {
  if (size === "medium") return 1
  if (size === "large") return 2
  const times = /^(\d*)xlarge$/.exec(size)
  return times === null ? null : 4 * (times[1] === "" ? 1 : Number(times[1]))
}

/** `c7gn` is series c, generation 7, with the attributes g (Graviton) and n. */
const familyPattern = /^([a-z]+)(\d+)([a-z]*)$/

/** The architecture of a family or a type, such as `c7g` or `c7g.large`; `null` where the name does not say. */
export const architectureOf = (nameOrFamily: string): Architecture | null => {
  const family = nameOrFamily.toLowerCase().split(".")[0] ?? ""
  if (family === "a1") return "arm64"
  const parts = familyPattern.exec(family)
  return parts === null ? null : parts[3]?.includes("g") === true ? "arm64" : "amd64"
}

/** `null` for a type that the rules here do not cover: nothing is said about it. */
export const instanceType = (name: string): InstanceType | null => {
  const [family = "", size = ""] = name.toLowerCase().split(".")
  const architecture = architectureOf(family)
  const series = familyPattern.exec(family)?.[1]
  if (architecture === null || series === undefined) return null
  const exact = Object.hasOwn(odd, name)
    ? odd[name]
    : series === "t" && Object.hasOwn(burstable, size) ? burstable[size] : undefined
  if (exact !== undefined) return { name, architecture, vcpus: exact[0], memory: exact[1] * 1024 }
  const vcpus = sizeVcpus(size)
  const rule = Object.hasOwn(gibPerVcpu, family) ? family : series
  const gib = Object.hasOwn(gibPerVcpu, rule) ? gibPerVcpu[rule] : undefined
  return vcpus === null || gib === undefined || series === "t"
    ? null
    : { name, architecture, vcpus, memory: vcpus * gib * 1024 }
}

/**
 * How much of a machine's memory, in MiB, containers get for certain: the kernel and the ECS agent keep their part, which is
 * larger in proportion on a small machine. 3,584 on 4 GiB and 12,288 on 16 GiB have been seen to fit.
 */
export const surelyAvailableMemory = ({ memory }: InstanceType): number => Math.floor(memory * 0.95 - 256)

/** The most that a container can hope for, in MiB: above it a job never fits the type. */
export const mostAvailableMemory = ({ memory }: InstanceType): number => memory - 128
