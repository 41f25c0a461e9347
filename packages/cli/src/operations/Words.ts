/** The languages that operators' commands speak. */
export type Language = "ko" | "en"

/** One sentence in each language, without a final period. */
export interface Words {
  readonly ko: string
  readonly en: string
}

export const words = (ko: string, en: string): Words => ({ ko, en })

/** The same in every language: names, numbers, what another program said. */
export const plain = (text: string): Words => ({ ko: text, en: text })
