declare const CommittedTypeId: unique symbol

/**
 * Proof that `A` is in the database.
 *
 * It is opaque: only `JobRecorder` can open it, and it publishes on the way. So a value cannot reach a caller unpublished, and
 * nothing can be published that was not committed.
 */
export interface Committed<out A> {
  readonly [CommittedTypeId]: A
}

const values = new WeakMap<object, unknown>()

class Receipt {}

export const mint = <A>(value: A): Committed<A> => {
  const receipt = new Receipt()
  values.set(receipt, value)
  // The phantom field exists in the type alone.
  return receipt as unknown as Committed<A>
}

export const open = <A>(receipt: Committed<A>): A => {
  // Only `mint` makes receipts, and it stores an `A` under each.
  return values.get(receipt) as A
}
