/** Decodes every syllable of Hangul from CP949 and prints how many came out as they went in; any runtime can run it. */
import iconv from "iconv-lite"
import { exactDecoder } from "../../src/import/TextEncoding.ts"

const syllables = Array.from({ length: 11_172 }, (_, index) => String.fromCharCode(0xac00 + index))
const decoder = exactDecoder("cp949")
const decoded = [...(decoder.push(iconv.encode(syllables.join(""), "cp949")) + decoder.end())]
console.log(syllables.filter((syllable, index) => decoded[index] === syllable).length)
