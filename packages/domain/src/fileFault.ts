import * as Predicate from "effect/Predicate"
import { causesOf } from "./causesOf.ts"

/** What each code of the operating system means to whoever named the file or the folder. */
const meanings: Readonly<Record<string, string>> = {
  EACCES: "this user may not do that there",
  EDQUOT: "this user's share of the disk is used up",
  EEXIST: "something else stands there already",
  EFBIG: "the file would grow larger than this process may write",
  EIO: "the disk does not answer as it should",
  EISDIR: "it is a directory, not a file",
  ELOOP: "its links lead round in a circle",
  EMFILE: "this process has too many files open",
  ENAMETOOLONG: "the name is too long",
  ENOENT: "there is no such file or directory",
  ENOSPC: "there is no space left on the disk",
  ENOTDIR: "a file stands where a directory is needed",
  EPERM: "this user may not do that there",
  EROFS: "nothing can be written there: the file system is read-only"
}

/** No chain of ours is longer. */
const maxDepth = 5

/**
 * Why a file or a folder could not be used, in words: a code of the operating system in the error, its reason or its
 * causes is said as what it means, anything else as the error says it itself.
 */
export const fileFault = (error: Error): string => {
  let said = error.message
  for (const current of causesOf(error, maxDepth)) {
    if (Predicate.hasProperty(current, "message") && Predicate.isString(current.message)) said = current.message
    const code = Predicate.hasProperty(current, "code") ? current.code : null
    if (Predicate.isString(code)) return meanings[code] ?? said
  }
  return said
}
