import { assert, describe, it } from "@effect/vitest"
import { type BarState, displayWidth, makeProgressBoard, renderBar } from "../src/ProgressBoard.ts"

const state = (percent: number | null, note = "", end: BarState["end"] = "running"): BarState => ({ percent, note, end })

const board = (interactive: boolean) => {
  const written: Array<string> = []
  return {
    written,
    board: makeProgressBoard({ interactive, columns: () => 80, write: (text) => written.push(text) })
  }
}

describe("ProgressBoard", () => {
  it("counts Hangul as two columns", () => {
    assert.strictEqual(displayWidth("인코딩"), 6)
    assert.strictEqual(displayWidth("[4/7] 인코딩"), 12)
    assert.strictEqual(displayWidth("ok"), 2)
  })

  it("fills the bar with the percent and says when it is not known", () => {
    assert.include(renderBar("a", 1, state(50), 80), "█".repeat(14) + "░".repeat(14) + "  50%")
    assert.include(renderBar("a", 1, state(null, "progress unknown"), 80), "?%  progress unknown")
  })

  it("never writes a line wider than the terminal", () => {
    for (const columns of [40, 57, 80]) {
      const line = renderBar("강의 영상.mp4", 14, state(37, "[4/7] 인코딩 · 남은 시간 1분 20초 ".repeat(4)), columns)
      assert.isAtMost(displayWidth(line), columns)
    }
  })

  it("redraws in place on a terminal", () => {
    const { board: bars, written } = board(true)
    bars.update("video", state(1))
    bars.update("roster", state(1))
    bars.update("video", state(2))
    assert.notInclude(written[0] ?? "", "\u001b[1A")
    assert.include(written[2] ?? "", "\u001b[2A")
  })

  it("keeps to the width of a narrow terminal, with a shorter bar", () => {
    const line = renderBar("lecture.mp4", 11, state(50, "[4/7] 인코딩 · 남은 시간 20초"), 30)
    assert.isAtMost(displayWidth(line), 30)
    assert.include(line, " 50%")
  })

  it("lets a log line pass above the bars, and draws them again below it", () => {
    const { board: bars, written } = board(true)
    bars.update("video", state(1))
    bars.update("roster", state(1))
    bars.above("a log line\n")
    const [line, again] = written.slice(-2)
    assert.strictEqual(line, "\u001b[2A\r\u001b[Ja log line\n")
    assert.include(again ?? "", "video")
    assert.include(again ?? "", "roster")
    assert.notInclude(again ?? "", "\u001b[2A")
  })

  it("shows a name with control characters without obeying it", () => {
    const { board: bars, written } = board(true)
    bars.update("\u001b[2Jlecture\n.mp4", state(1))
    assert.include(written[0] ?? "", " [2Jlecture .mp4")
  })

  it("writes a line only when something has moved where it cannot redraw", () => {
    const { board: bars, written } = board(false)
    for (const percent of [10, 11, 12, 19, 20]) bars.update("video", state(percent, "[4/7] 인코딩"))
    assert.lengthOf(written, 2)
    bars.update("video", state(100, "READY", "good"))
    assert.lengthOf(written, 3)
    assert.notInclude(written.join(""), "\u001b")
  })
})
