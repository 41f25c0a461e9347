import type { Finding } from "@lectern/worker-video/doctor"

/** One finding of the lint as a person reads it. */
export const findingText = ({ fix, found, rule, where, why }: Finding): string =>
  `${rule}: ${where}: ${found}\n  why: ${why}\n  fix: ${fix}`
