/** "1분 20초" of whole seconds; nothing when it is not known. */
export const remainingText = (seconds: number | null): string => {
  if (seconds === null) return ""
  const whole = Math.max(0, Math.round(seconds))
  const minutes = Math.floor(whole / 60)
  return minutes === 0 ? ` · 남은 시간 ${whole}초` : ` · 남은 시간 ${minutes}분 ${whole % 60}초`
}
