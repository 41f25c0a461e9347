/** Messages to people: what sends them, once each. */
export { messagingJob, type MessagingOptions } from "./MessagingJob.ts"
export { sendingBreaker } from "./sendingBreaker.ts"
