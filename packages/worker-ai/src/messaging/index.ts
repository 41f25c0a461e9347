/** Messages to people: what sends them, once each. */
export { forgetMessages } from "./forgetMessages.ts"
export { messageProviders, noMessageProviders, solapiProvider } from "./messageProviders.ts"
export { messagingJob, type MessagingOptions } from "./MessagingJob.ts"
export { sendingBreaker } from "./sendingBreaker.ts"
