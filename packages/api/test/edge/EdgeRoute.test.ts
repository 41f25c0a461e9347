import * as fc from "fast-check"
import { describe, expect, it } from "vitest"
import { edgeRoute, maxJobIdChars } from "../../src/edge/EdgeRoute.ts"

const video = (segment: string) => edgeRoute(`/api/v1/media/videos/${segment}/progress/`)
const job = (segment: string) => edgeRoute(`/api/v1/jobs/${segment}/progress/`)

describe("A path of the edge", () => {
  it("names a video or a job, whether it comes alone or with an origin, with a query or without", () => {
    const expected = { _tag: "Progress", subject: { _tag: "Video", id: 42 } }
    for (const origin of ["", "http://edge.school", "https://edge.school:8443"]) {
      for (const query of ["", "?", "?t=1", "#a", "?next=/api/v1/jobs/x/progress/"]) {
        expect(edgeRoute(`${origin}/api/v1/media/videos/42/progress/${query}`)).toEqual(expected)
      }
    }
    expect(job("0f8fad5b")).toEqual({ _tag: "Progress", subject: { _tag: "Job", id: "0f8fad5b" } })
  })

  for (
    const segment of [
      "0", "00", "-1", "+1", "1.0", "1e3", "0x1", "%31", "١", "１", "9007199254740992", "1".repeat(30), "abc", "%20", "1%00", "..",
      "1,2", "NaN"
    ]
  ) {
    it(`is refused for a video's id that is no positive integer: ${segment}`, () => {
      expect(video(segment)).toMatchObject({ _tag: "BadId" })
    })
  }

  it("takes the largest id that a client can write", () => {
    expect(video("9007199254740991")).toMatchObject({ subject: { id: 9007199254740991 } })
  })

  it("takes any job's id of up to 64 characters, decoded", () => {
    for (const id of ["a", "a b", "a/b", "한글", "..", "😀", "a%b", "x".repeat(maxJobIdChars)]) {
      expect(job(encodeURIComponent(id))).toEqual({ _tag: "Progress", subject: { _tag: "Job", id } })
    }
  })

  for (const segment of ["x".repeat(65), "%", "%zz", "%ff", "%00", "a%0ab", "%7f", "%c2%80", "%ed%a0%80"]) {
    it(`is refused for a job's id that is too long, or no text: ${segment.slice(0, 12)}`, () => {
      expect(job(segment)).toMatchObject({ _tag: "BadId" })
    })
  }

  it("ends in a slash", () => {
    expect(edgeRoute("/api/v1/jobs/a/progress")).toEqual({ _tag: "NoSlash" })
    expect(edgeRoute("/api/v1/media/videos/1/progress?x=/")).toEqual({ _tag: "NoSlash" })
  })

  for (
    const path of [
      "", "/", "*", "/api/v1/jobs/", "/api/v1/jobs//progress/", "/api/v1/jobs/a/", "/api/v1/jobs/a/progress//",
      "/api/v1/jobs/a/progress/x", "/api/v1/jobs/a/b/progress/", "//api/v1/jobs/a/progress/", "/API/v1/jobs/a/progress/",
      "/api/v2/jobs/a/progress/", "/api/v1/media/videos", "http://edge.school"
    ]
  ) {
    it(`is no other: ${path}`, () => {
      expect(edgeRoute(path)).toEqual({ _tag: "Unknown" })
    })
  }

  it("names a tray by its query, videos first and each kind in the order asked, encoded as forms are or not", () => {
    const subjects = [{ _tag: "Video", id: 2 }, { _tag: "Video", id: 1 }, { _tag: "Job", id: "a b" }, { _tag: "Job", id: "한" }]
    for (
      const query of [
        "videos=2,1&jobs=a%20b,%ED%95%9C", "jobs=a+b%2C%ED%95%9C&videos=2%2C1", "videos=2&jobs=a+b&x=%zz&videos=1&jobs=%ED%95%9C#videos=9"
      ]
    ) {
      expect(edgeRoute(`/api/v1/progress/?${query}`)).toEqual({ _tag: "Tray", subjects })
      expect(edgeRoute(`http://edge.school/api/v1/progress/?${query}`)).toEqual({ _tag: "Tray", subjects })
    }
    for (const query of ["", "?", "?videos=&jobs=", "?videos", "?other=1"]) {
      expect(edgeRoute(`/api/v1/progress/${query}`)).toEqual({ _tag: "Tray", subjects: [] })
    }
    expect(edgeRoute("/api/v1/progress?videos=1")).toEqual({ _tag: "NoSlash" })
  })

  for (
    const query of [
      "videos=0", "videos=-1", "videos=+1", "videos=1,", "videos=,1", "videos=1,,2", "videos=1e3", "videos=%D9%A1", "videos=..",
      `videos=1${"0".repeat(30)}`, "videos=1%00", "videos=%zz", "jobs=%00", "jobs=%ff", "jobs=a,", `jobs=${"x".repeat(65)}`, "jobs=%ed%a0%80",
      `videos=${Array.from({ length: 101 }, (_, id) => id + 1).join(",")}`, `jobs=${"a,".repeat(50)}b&videos=${"1,".repeat(49)}1`,
      `videos=1&x=${"x".repeat(60_000)}`
    ]
  ) {
    it(`is refused for a tray of too many, or of an id that is none: ${query.slice(0, 30)}`, () => {
      expect(edgeRoute(`/api/v1/progress/?${query}`)).toMatchObject({ _tag: "BadId" })
    })
  }

  it("takes a tray of a hundred", () => {
    const ids = Array.from({ length: 50 }, (_, id) => id + 1)
    const jobs = ids.map((id) => encodeURIComponent("한".repeat(64 - String(id).length) + id)).join(",")
    expect(edgeRoute(`/api/v1/progress/?videos=${ids.join(",")}&jobs=${jobs}`)).toMatchObject({
      subjects: expect.objectContaining({ length: 100 })
    })
  })

  it("never throws, and never lets an id out that is not well formed", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (segment) => {
      for (const route of [video(segment), job(segment), edgeRoute(segment), job(encodeURIComponent(segment.toWellFormed()))]) {
        if (route._tag !== "Progress") continue
        const { id } = route.subject
        expect(typeof id === "number" ? Number.isSafeInteger(id) && id > 0 : id.length <= 64 && id.isWellFormed()).toBe(true)
      }
    }))
  })
})
