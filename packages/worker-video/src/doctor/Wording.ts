/** What a person is told, in the languages that our operators read. */
export type Language = "ko" | "en"

export type Wording = Readonly<Record<Language, string>>

/** Fills `{name}` with the value of that name; a name without a value stays as a question mark. */
export const fill = (template: string, values: Readonly<Record<string, string>>): string =>
  template.replaceAll(/\{(\w+)\}/g, (_, name: string) => Object.hasOwn(values, name) ? values[name] ?? "?" : "?")

/** One line without control characters: what a service or a log said may hold anything, a terminal's commands included. */
export const oneLine = (text: string): string => text.replaceAll(/[\p{C}\p{Zl}\p{Zp}\s]+/gu, " ").trim()

/** At most `length` UTF-16 units, with an ellipsis where something was left out; no character is cut in half. */
export const clip = (text: string, length: number): string => {
  if (text.length <= length) return text
  let kept = ""
  for (const character of text) {
    if (kept.length + character.length > length - 1) break
    kept += character
  }
  return length < 1 ? "" : `${kept}…`
}
