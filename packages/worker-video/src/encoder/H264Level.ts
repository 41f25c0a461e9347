/** What a stream asks of a decoder. */
export interface H264Demand {
  readonly width: number
  readonly height: number
  readonly framesPerSecond: number
  /** Peak rate of the encoder's buffer model. */
  readonly kilobitsPerSecond: number
  /** Pictures that the decoder has to keep. */
  readonly keptPictures: number
}

interface LevelLimits {
  readonly name: string
  readonly macroblocksPerSecond: number
  readonly macroblocks: number
  readonly keptMacroblocks: number
  readonly kilobitsPerSecond: number
}

const level = (
  name: string,
  macroblocksPerSecond: number,
  macroblocks: number,
  keptMacroblocks: number,
  kilobitsPerSecond: number
): LevelLimits => ({ name, macroblocksPerSecond, macroblocks, keptMacroblocks, kilobitsPerSecond })

// Table A-1 of ITU-T H.264. Its bit rates are those of the Baseline and Main profiles.
const levels: ReadonlyArray<LevelLimits> = [
  level("1.0", 1485, 99, 396, 64),
  level("1.1", 3000, 396, 900, 192),
  level("1.2", 6000, 396, 2376, 384),
  level("1.3", 11880, 396, 2376, 768),
  level("2.0", 11880, 396, 2376, 2000),
  level("2.1", 19800, 792, 4752, 4000),
  level("2.2", 20250, 1620, 8100, 4000),
  level("3.0", 40500, 1620, 8100, 10000),
  level("3.1", 108000, 3600, 18000, 14000),
  level("3.2", 216000, 5120, 20480, 20000),
  level("4.0", 245760, 8192, 32768, 20000),
  level("4.1", 245760, 8192, 32768, 50000),
  level("4.2", 522240, 8704, 34816, 50000),
  level("5.0", 589824, 22080, 110400, 135000),
  level("5.1", 983040, 36864, 184320, 240000),
  level("5.2", 2073600, 36864, 184320, 240000),
  level("6.0", 4177920, 139264, 696320, 240000)
]

const highProfileFactor = 1.25

/** The lowest level of the High profile that allows `demand`, or `null` where no level up to 6.0 does. */
export const lowestH264Level = (demand: H264Demand): string | null => {
  const columns = Math.ceil(demand.width / 16)
  const rows = Math.ceil(demand.height / 16)
  const macroblocks = columns * rows
  return (
    levels.find(
      (limits) =>
        macroblocks <= limits.macroblocks &&
        columns * columns <= 8 * limits.macroblocks &&
        rows * rows <= 8 * limits.macroblocks &&
        macroblocks * demand.framesPerSecond <= limits.macroblocksPerSecond &&
        macroblocks * demand.keptPictures <= limits.keptMacroblocks &&
        demand.kilobitsPerSecond <= limits.kilobitsPerSecond * highProfileFactor
    )?.name ?? null
  )
}
