import type { Arns } from "./Arns.ts"

/** Some actions on some resources, and why somebody needs them. */
export interface Permission {
  readonly actions: ReadonlyArray<string>
  readonly resources: (arns: Arns) => ReadonlyArray<string>
  readonly why: string
  /** Why a resource ends in `*`; needed where one does, and nowhere else. */
  readonly wildcard?: string
}

/** A role, or a policy for a role that others make. */
export interface Grant {
  readonly name: string
  readonly purpose: string
  /** The services that may assume the role; none for a policy. */
  readonly assumedBy: ReadonlyArray<string>
  /** Where the one who assumes it is told so. */
  readonly usedBy: string
  readonly managedPolicies: ReadonlyArray<{ readonly name: string; readonly why: string }>
  readonly permissions: ReadonlyArray<Permission>
}
