import { Effect, Metric } from "effect"

/** The value of a counter or a gauge with one set of attributes. */
export interface MetricValue {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly value: number
}

/** All counters and gauges of this process as they stand: those of the mirror are `lectern_mirror_published_total` and `lectern_mirror_skipped_total`. */
export const metricsSnapshot: Effect.Effect<ReadonlyArray<MetricValue>> = Effect.map(Metric.snapshot, (snapshots) =>
  snapshots.flatMap((snapshot) => {
    const named = { name: snapshot.id, attributes: { ...snapshot.attributes } }
    switch (snapshot.type) {
      case "Counter":
        return [{ ...named, value: Number(snapshot.state.count) }]
      case "Gauge":
        return [{ ...named, value: Number(snapshot.state.value) }]
      case "Frequency":
      case "Histogram":
      case "Summary":
        return []
    }
  }))
